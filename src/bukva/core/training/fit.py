"""Training a network on any task: `fit` is the one function in which optimisers live.

Shapes: N samples, B of them in a batch.
"""

import copy
import hashlib
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any, Final, NamedTuple, Protocol, runtime_checkable

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from bukva.core.training import parallel
from bukva.core.training.checkpoint import CheckpointStore, digest_weights, pack, unpack, weights_of
from bukva.core.training.device import resolve_device, seeded
from bukva.core.training.optimisation import Optimisation, Phase, Progress
from bukva.core.training.parameters import FitParameters
from bukva.core.training.threads import cores_left_by_others
from bukva.errors import NonFiniteLossError, TrainingError, WorkerError

_RESTARTS: Final = 2

OnEpoch = Callable[[Mapping[str, Any]], None]
"""Is shown each epoch's row of the history; training stops where it raises."""


class Learner(Protocol):
    """What a task brings to its training: samples, their loss, their validation. Can be pickled.

    Attributes:
        phases: What is trained, one after the other.
        chances_N: The relative chance of each sample to be drawn.
    """

    phases: Sequence[Phase]
    chances_N: NDArray[np.float64]

    def digests(self) -> tuple[str, ...]:
        """Return what tells these samples from others."""

    def to(self, device: torch.device) -> None:
        """Move the samples to where they are computed on."""

    def loss(self, network: nn.Module, chosen_B: Tensor, generator: torch.Generator) -> Tensor:
        """Return the mean loss of a network over some samples, varied by the generator."""

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Measure a network on samples that are not trained on: `valid_loss`, and more."""


@runtime_checkable
class Planner(Protocol):
    """What a learner is, too, that says itself which samples make a batch: those of like sizes."""

    def plan_epoch(
        self, epoch: int, steps: int, batch_size: int, generator: torch.Generator
    ) -> Tensor:
        """Return the samples of each batch of an epoch, `(steps, batch_size)`.

        Args:
            epoch: Counted from 1, over all phases.
            steps: How many batches.
            batch_size: Samples in each.
            generator: Source of all randomness; where it stands is kept with a checkpoint.
        """


class FitResult(NamedTuple):
    """Weights of the best epoch by its phase's measure, and one row of figures an epoch."""

    weights: dict[str, NDArray[Any]]
    history: pd.DataFrame


def fit(
    network: nn.Module,
    learner: Learner,
    parameters: FitParameters,
    *,
    checkpoints: CheckpointStore | None = None,
    on_epoch: OnEpoch | None = None,
) -> FitResult:
    """Train a network through all phases of its learner.

    Same seed, samples, parameters and machine give the same weights, also when the run was killed
    and went on from a checkpoint. Several processes, however many, draw the same batches.

    One process takes the cores that other programs leave it, chosen anew for each epoch. Another
    number of threads adds up in another order, which changes the last digits of the weights: where
    every bit counts, on a machine that is not quiet, OMP_NUM_THREADS holds the number.

    Args:
        network: Changed in place.
        learner: What is learnt, from which samples.
        parameters: All that can be set.
        checkpoints: Where the state is kept after each epoch; None for nowhere.
        on_epoch: Called after each epoch, when its checkpoint is kept: what it raises ends the
            run, which can be gone on with. A run that goes on shows the former epochs again.

    Returns:
        The kept weights and the history: columns `epoch`, `phase`, `learning_rate`, `train_loss`,
        what the learner measures, and `seconds`.

    Raises:
        TrainingError: If processes died.
        NonFiniteLossError: If the loss stops being a number.
    """
    goes_on = checkpoints is not None and parameters.resume
    restarts = _RESTARTS if goes_on else 0
    while True:
        kept = checkpoints.load() if checkpoints and goes_on else None
        arguments = (network, learner, parameters, kept, checkpoints is not None)
        try:
            result = _follow(_start(arguments, parameters), checkpoints, on_epoch)
            break
        except WorkerError:
            if not restarts:
                raise
            restarts -= 1
    if checkpoints:
        checkpoints.clear()
    network.load_state_dict({name: torch.tensor(value) for name, value in result.weights.items()})
    return result


class _Epoch(NamedTuple):
    """What an epoch has come to; no checkpoint where none is kept, or it is kept already."""

    row: dict[str, Any]
    checkpoint: bytes | None


_Events = Iterator[_Epoch | FitResult]


def _start(arguments: tuple[Any, ...], parameters: FitParameters) -> _Events:
    if parameters.processes == 1:
        return train_part(*arguments)
    return parallel.run_together(
        _train_copy,
        arguments,
        processes=parameters.processes,
        device=resolve_device(parameters.device),
    )


def _follow(
    events: Any, checkpoints: CheckpointStore | None, on_epoch: OnEpoch | None
) -> FitResult:
    """Keep and show what is trained, in the one process that the caller knows."""
    with closing(events):
        for event in events:
            if isinstance(event, FitResult):
                return event
            if checkpoints and event.checkpoint:
                checkpoints.save(event.checkpoint)
            if on_epoch:
                on_epoch(event.row)
    message = "Expected the weights of a training, got none: its processes were interrupted."
    raise TrainingError(message)


def _train_copy(network: nn.Module, *others: Any) -> _Events:
    # What is sent to a process of this machine may lie in memory that all of them see.
    return train_part(copy.deepcopy(network), *others)


def train_part(
    network: nn.Module,
    learner: Learner,
    parameters: FitParameters,
    kept: bytes | None,
    keeps: bool,
) -> _Events:
    """Yield each epoch and then the result, in the only process or in one of several."""
    with seeded(parameters.seed + parallel.rank()), cores_left_by_others() as choose_threads:
        run = _Run(network, learner, parameters, keeps=keeps)
        if kept:
            run.go_on_from(kept)
        for row in run.progress.history:
            yield _Epoch(row, None)
        choose_threads()
        for phase in learner.phases:
            for epoch in run.train_phase(phase):
                yield epoch
                choose_threads()
    best = {name: value.numpy().copy() for name, value in run.progress.best_weights.items()}
    yield FitResult(best, pd.DataFrame(run.progress.history))


class _Run:
    """A network, its learner and what has been reached, in one process."""

    def __init__(
        self, network: nn.Module, learner: Learner, parameters: FitParameters, *, keeps: bool
    ) -> None:
        self.parameters = parameters
        self.keeps = keeps
        self.learner = learner
        self.device = resolve_device(parameters.device)
        self.progress = Progress()
        self.resumed: dict[str, Any] | None = None
        self.fingerprint = self._fingerprint(network)
        network = network.to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network = parallel.share_statistics(network, self.device)
        learner.to(self.device)
        self._chances_N = torch.from_numpy(np.array(learner.chances_N)).to(self.device)
        drawn = -(-len(self._chances_N) // parameters.batch_size)
        self.steps_per_epoch = parameters.steps_per_epoch or drawn
        # All processes draw the same batches, and each varies its share by itself.
        self._generator = torch.Generator(self.device).manual_seed(parameters.seed)
        self._variation = self._generator
        if parameters.processes > 1:
            own_seed = parameters.seed + 1 + parallel.rank()
            self._variation = torch.Generator(self.device).manual_seed(own_seed)

    def _fingerprint(self, network: nn.Module) -> str:
        """Return a sha256 over everything that decides the result: a run is what it starts from."""
        parts = (
            self.parameters.recipe(),
            f"{self.device.type} x {self.parameters.processes}",
            digest_weights(weights_of(network)),
            *self.learner.digests(),
        )
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def go_on_from(self, packed: bytes) -> None:
        """Take up a checkpoint of this very run; any other is left to be overwritten."""
        state, is_first = unpack(packed), parallel.rank() == 0
        if state.get("fingerprint") != self.fingerprint:
            if is_first:
                tqdm.write(
                    "the checkpoint is of a training with other parameters, samples, weights or "
                    "processes: beginning anew"
                )
            return
        self.resumed = state
        self.progress = Progress(**state["progress"])
        self._set_random_state(state["random"][parallel.rank()])
        if is_first:
            tqdm.write(f"going on after epoch {len(self.progress.history)}")

    def train_phase(self, phase: Phase) -> Iterator[_Epoch]:
        """Yield epochs until those of the phase are over or validation stands still."""
        if not phase.epochs or self.progress.has_passed(phase):
            return
        self.progress.enter(phase)
        for name, weight in self.network.named_parameters():
            weight.requires_grad_(phase.held is None or not name.startswith(phase.held))
        optimisation = Optimisation(
            self.network, self.parameters, phase.epochs, self.steps_per_epoch
        )
        if self.resumed:
            optimisation.load_state_dict(self.resumed["optimisation"])
            self.resumed = None
        trained = parallel.share_gradients(self.network, self.device)
        while not self.progress.is_over(phase, self.parameters.patience_epochs):
            self._train_epoch(phase, trained, optimisation)
            row = self.progress.history[-1]
            yield _Epoch(row, self._checkpoint(optimisation) if self.keeps else None)

    def _train_epoch(self, phase: Phase, trained: nn.Module, optimisation: Optimisation) -> None:
        started_s, learning_rate = time.perf_counter(), optimisation.learning_rate
        epoch, steps = len(self.progress.history) + 1, self.steps_per_epoch
        total = sum(phase.epochs for phase in self.learner.phases)
        title, is_hidden = f"epoch {epoch}/{total} ({phase.name})", parallel.rank() > 0
        loss_sum = 0.0
        batches = self._draw_batches(epoch)
        with tqdm(total=steps, desc=title, unit="step", disable=is_hidden) as bar:
            trained.train()
            for step, drawn_B in enumerate(batches, start=1):
                loss = self._take_step(trained, optimisation, drawn_B)
                _check_finite(loss, f"epoch {epoch}, step {step}", optimisation)
                loss_sum += loss
                bar.update()
            averaged = optimisation.averaged.module
            measures = parallel.from_first(lambda: self.learner.validate(averaged))
            where = f"epoch {epoch}, validation after step {steps}"
            _check_finite(measures[phase.watched], where, optimisation)
            bar.set_postfix({"loss": loss_sum / steps, **measures})
        optimisation.end_epoch(measures[phase.watched])
        row: dict[str, Any] = {
            "epoch": epoch,
            "phase": phase.name,
            "learning_rate": learning_rate,
            "train_loss": loss_sum / steps,
            **measures,
            "seconds": time.perf_counter() - started_s,
        }
        self.progress.record(row, averaged, phase.watched)

    def _draw_batches(self, epoch: int) -> Iterator[Tensor]:
        """Yield the samples of each step, the same in all processes."""
        steps, size = self.steps_per_epoch, self.parameters.batch_size
        if isinstance(self.learner, Planner):
            yield from self.learner.plan_epoch(epoch, steps, size, self._generator)
            return
        for _ in range(steps):
            yield torch.multinomial(
                self._chances_N, size, replacement=True, generator=self._generator
            )

    def _take_step(self, trained: nn.Module, optimisation: Optimisation, drawn_B: Tensor) -> float:
        chosen_B = drawn_B[parallel.rank() :: parallel.size()]
        # Gradients are averaged over the processes; a larger share weighs more.
        share = len(chosen_B) * parallel.size() / len(drawn_B)
        loss = self.learner.loss(trained, chosen_B, self._variation) * share
        optimisation.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimisation.step()
        return parallel.mean(loss.detach())

    def _checkpoint(self, optimisation: Optimisation) -> bytes:
        return pack(
            {
                "fingerprint": self.fingerprint,
                "optimisation": optimisation.state_dict(),
                "progress": vars(self.progress),
                "random": parallel.of_all(self._random_state()),
            }
        )

    def _random_state(self) -> dict[str, Any]:
        """Return the state of every generator that the next step draws from."""
        return {
            "generator": self._generator.get_state(),
            "variation": self._variation.get_state(),
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state_all() if self.device.type == "cuda" else [],
        }

    def _set_random_state(self, state: dict[str, Any]) -> None:
        self._generator.set_state(state["generator"])
        self._variation.set_state(state["variation"])
        torch.set_rng_state(state["torch"])
        if state["cuda"]:
            torch.cuda.set_rng_state_all(state["cuda"])


def _check_finite(loss: float, where: str, optimisation: Optimisation) -> None:
    if not math.isfinite(loss):
        raise NonFiniteLossError(
            f"Expected a finite loss, got {loss} in {where}, at learning rate "
            f"{optimisation.learning_rate:.3g}. Lower the learning rate, or look for broken "
            "samples."
        )
