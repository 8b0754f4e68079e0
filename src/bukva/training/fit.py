"""Training a network: `fit` is the one function in which loaders and optimisers live."""

import copy
import hashlib
import math
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn
from tqdm import tqdm

from bukva.errors import NonFiniteLossError, TrainingError
from bukva.models.trained import digest_weights, weights_of
from bukva.parameters import TrainingParameters
from bukva.training import parallel
from bukva.training.checkpoint import CheckpointStore, pack, unpack
from bukva.training.device import resolve_device
from bukva.training.launch import Ask, launch
from bukva.training.learner import Learner
from bukva.training.optimisation import Optimisation
from bukva.training.progress import Phase, Progress, plan_phases
from bukva.training.samples import GlyphSamples
from bukva.training.seeding import seeded

OnEpoch = Callable[[Mapping[str, Any]], None]
"""Is shown each epoch's row of the history; training stops where it raises."""

_RESTARTS: Final = 2


class FitResult(NamedTuple):
    """Weights of the best epoch by validation loss, and one row of figures an epoch."""

    weights: dict[str, NDArray[Any]]
    history: pd.DataFrame


def fit(
    network: nn.Module,
    train: GlyphSamples,
    valid: GlyphSamples,
    parameters: TrainingParameters,
    *,
    checkpoints: CheckpointStore | None = None,
    on_epoch: OnEpoch | None = None,
) -> FitResult:
    """Train a network: first its heads, then all of it.

    Same seed, samples, parameters and machine give the same weights, also when the run was killed
    and went on from a checkpoint. Several processes, however many, draw the same batches.

    Args:
        network: Changed in place.
        train: What is learnt from.
        valid: What decides which epoch is kept and when to stop early.
        parameters: All that can be set.
        checkpoints: Where the state is kept after each epoch; None for nowhere.
        on_epoch: Called after each epoch, when its checkpoint is kept: what it raises ends the
            run, which can be gone on with. A run that goes on shows the former epochs again.

    Returns:
        The kept weights and the history: columns `epoch`, `phase`, `learning_rate`, `train_loss`,
        `valid_loss`, `valid_label_accuracy`, `valid_case_accuracy`, `seconds`.

    Raises:
        TrainingError: If there is nothing to train or validate on, or processes died.
        NonFiniteLossError: If the loss stops being a number.
    """
    if not len(train) or not len(valid):
        message = f"Expected samples to train and validate on, got {len(train)} and {len(valid)}."
        raise TrainingError(message)
    how = _fit_together if parameters.processes > 1 else fit_here
    return how(network, train, valid, parameters, checkpoints, on_epoch)


def fit_here(
    network: nn.Module,
    train: GlyphSamples,
    valid: GlyphSamples,
    parameters: TrainingParameters,
    checkpoints: CheckpointStore | None = None,
    on_epoch: OnEpoch | None = None,
) -> FitResult:
    """Do as `fit` in this process, which may be one of several that train together."""
    with seeded(parameters.seed + parallel.rank()):
        run = _Run(network, train, valid, parameters, checkpoints, on_epoch)
        for phase in plan_phases(parameters):
            run.train_phase(phase)
    if checkpoints:
        checkpoints.clear()
    network.load_state_dict(run.progress.best_weights)
    return FitResult(weights_of(network), pd.DataFrame(run.progress.history))


def _fit_together(
    network: nn.Module,
    train: GlyphSamples,
    valid: GlyphSamples,
    parameters: TrainingParameters,
    checkpoints: CheckpointStore | None,
    on_epoch: OnEpoch | None,
) -> FitResult:
    """Train in several processes; checkpoints and rows of the history come to this one."""
    requests: dict[str, Callable[[Any], Any]] = {"show": on_epoch or (lambda _: None)}
    if (store := checkpoints) is not None:
        requests |= {
            "load": lambda _: store.load(),
            "save": store.save,
            "clear": lambda _: store.clear(),
        }
    result: FitResult = launch(
        _fit_part,
        (network, train, valid, parameters, checkpoints is not None),
        requests,
        processes=parameters.processes,
        device=resolve_device(parameters.device),
        restarts=_RESTARTS if checkpoints and parameters.resume else 0,
    )
    network.load_state_dict({name: torch.tensor(value) for name, value in result.weights.items()})
    return result


def _fit_part(
    ask: Ask,
    network: nn.Module,
    train: GlyphSamples,
    valid: GlyphSamples,
    parameters: TrainingParameters,
    has_checkpoints: bool,
) -> FitResult:
    # What is sent to a process of this machine may lie in memory that all of them see.
    own = copy.deepcopy(network)
    store = _FarStore(ask) if has_checkpoints else None
    return fit_here(own, train, valid, parameters, store, lambda row: ask("show", row))


class _FarStore:
    """The checkpoints of the process that launched this one."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def load(self) -> bytes | None:
        kept: bytes | None = self._ask("load", None)
        return kept

    def save(self, state: bytes) -> None:
        self._ask("save", state)

    def clear(self) -> None:
        self._ask("clear", None)


class _Run:
    """One training run: a learner, what has been reached, and where that is kept."""

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
