"""A training run in one process: phases, epochs, and the checkpoint that it goes on from."""

import hashlib
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from torch import nn
from tqdm import tqdm

from bukva.errors import NonFiniteLossError
from bukva.models.trained import digest_weights, weights_of
from bukva.parameters import TrainingParameters
from bukva.training import parallel
from bukva.training.checkpoint import CheckpointStore, pack, unpack
from bukva.training.learner import Learner
from bukva.training.optimisation import Optimisation
from bukva.training.progress import Phase, Progress
from bukva.training.samples import GlyphSamples

OnEpoch = Callable[[Mapping[str, Any]], None]
"""Is shown each epoch's row of the history; training stops where it raises."""


class Run:
    """A learner, what has been reached, and where that is kept.

    Args:
        network: Changed in place.
        train: What is learnt from.
        valid: What decides which epoch is kept and when to stop early.
        parameters: All that can be set.
        checkpoints: Where the state is kept after each epoch; None for nowhere.
        on_epoch: Called after each epoch, and for those before the checkpoint that is gone on from.
    """

    def __init__(
        self,
        network: nn.Module,
        train: GlyphSamples,
        valid: GlyphSamples,
        parameters: TrainingParameters,
        checkpoints: CheckpointStore | None,
        on_epoch: OnEpoch | None,
    ) -> None:
        self.parameters = parameters
        self.checkpoints = checkpoints
        self.on_epoch = on_epoch
        self.learner = Learner(network, train, valid, parameters)
        self.progress = Progress()
        self.fingerprint = self._fingerprint(train, valid)
        self.resumed = self._read_checkpoint() if checkpoints and parameters.resume else None
        for row in self.progress.history:
            self._show(row)

    def train_phase(self, phase: Phase) -> None:
        """Train until the phase's epochs are over or validation stands still."""
        if self.progress.has_passed(phase):
            return
        self.progress.enter(phase)
        _hold_backbone(self.learner.network, still=phase.name == "heads")
        optimisation = Optimisation(
            self.learner.network, self.parameters, phase.epochs, self.learner.steps_per_epoch
        )
        if self.resumed:
            optimisation.load_state_dict(self.resumed["optimisation"])
            self.resumed = None
        while not self.progress.is_over(phase, self.parameters.patience_epochs):
            self._train_epoch(phase, optimisation)
            self._write_checkpoint(optimisation)
            self._show(self.progress.history[-1])

    def _show(self, row: dict[str, Any]) -> None:
        if self.on_epoch is not None:
            self.on_epoch(row)

    def _train_epoch(self, phase: Phase, optimisation: Optimisation) -> None:
        started_s, learning_rate = time.perf_counter(), optimisation.learning_rate
        epoch, steps = len(self.progress.history) + 1, self.learner.steps_per_epoch
        total = self.parameters.head_epochs + self.parameters.max_epochs
        title, is_hidden = f"epoch {epoch}/{total} ({phase.name})", not parallel.is_first()
        with tqdm(total=steps, desc=title, unit="step", disable=is_hidden) as bar:
            loss_sum = 0.0
            for step, loss in enumerate(self.learner.train_epoch(optimisation), start=1):
                _check_finite(loss, f"epoch {epoch}, step {step}", optimisation)
                loss_sum += loss
                bar.update()
            averaged = optimisation.averaged.module
            measures = parallel.from_first(lambda: self.learner.validate(averaged))
            _check_finite(
                measures["valid_loss"],
                f"epoch {epoch}, validation after step {steps}",
                optimisation,
            )
            accuracy = measures["valid_label_accuracy"]
            bar.set_postfix(loss=f"{loss_sum / steps:.3f}", valid=f"{accuracy:.4f}")
        optimisation.end_epoch(measures["valid_loss"])
        row: dict[str, Any] = {
            "epoch": epoch,
            "phase": phase.name,
            "learning_rate": learning_rate,
            "train_loss": loss_sum / steps,
            **measures,
            "seconds": time.perf_counter() - started_s,
        }
        self.progress.record(row, optimisation.averaged.module)

    def _write_checkpoint(self, optimisation: Optimisation) -> None:
        if self.checkpoints is None:
            return
        state = {
            "fingerprint": self.fingerprint,
            "optimisation": optimisation.state_dict(),
            "progress": vars(self.progress),
            "random": parallel.of_all(self.learner.random_state()),
        }
        self.checkpoints.save(pack(state))

    def _read_checkpoint(self) -> dict[str, Any] | None:
        """Take up a checkpoint of this very run; any other is left to be overwritten."""
        packed = self.checkpoints.load() if self.checkpoints else None
        state = unpack(packed) if packed else None
        if state is None or state.get("fingerprint") != self.fingerprint:
            return None
        self.progress = Progress(**state["progress"])
        self.learner.set_random_state(state["random"][parallel.rank()])
        if parallel.is_first():
            tqdm.write(f"going on after epoch {len(self.progress.history)}")
        return state

    def _fingerprint(self, train: GlyphSamples, valid: GlyphSamples) -> str:
        """Return a sha256 over everything that decides the result: a run is what it starts from."""
        parts = (
            self.parameters.recipe(),
            f"{self.learner.device.type} x {self.parameters.processes}",
            digest_weights(weights_of(self.learner.network)),
            train.digest(),
            valid.digest(),
        )
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _hold_backbone(network: nn.Module, *, still: bool) -> None:
    """Keep the backbone's weights as they are; its batch norms still follow what passes them."""
    for name, weight in network.named_parameters():
        weight.requires_grad_(not (still and name.startswith("backbone.")))


def _check_finite(loss: float, where: str, optimisation: Optimisation) -> None:
    if not math.isfinite(loss):
        raise NonFiniteLossError(
            f"Expected a finite loss, got {loss} in {where}, at learning rate "
            f"{optimisation.learning_rate:.3g}. Lower the learning rate, or look for broken "
            "samples."
        )
