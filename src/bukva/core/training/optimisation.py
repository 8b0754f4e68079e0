"""Phases of a training: optimiser, schedule, moving average of the weights, early stopping."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR, ReduceLROnPlateau
from torch.optim.swa_utils import AveragedModel

from bukva.core.training.parameters import FitParameters

# A shorter cycle has no step to warm up in, and torch divides by zero.
_SHORTEST_CYCLE_STEPS = 8


class Phase(NamedTuple):
    """Epochs that share one optimiser and one schedule.

    Attributes:
        name: Unique among the phases of a training.
        epochs: At most so many.
        held: Weights whose names begin so are not trained; batch norms follow what passes them.
        watched: The measure of validation by which epochs are compared: the lower, the better.
    """

    name: str
    epochs: int
    held: str | None = None
    watched: str = "valid_loss"


@dataclass
class Progress:
    """What has been reached so far; all of it goes into every checkpoint.

    Attributes:
        phase: Name of the phase that is being trained; empty before the first.
        phase_epochs: Epochs done in it.
        epochs_since_best: Epochs of it since what is watched was the lowest so far.
        best_loss: The lowest of all epochs.
        best_weights: The averaged weights that had it.
        history: One row of figures an epoch.
    """

    phase: str = ""
    phase_epochs: int = 0
    epochs_since_best: int = 0
    best_loss: float = math.inf
    best_weights: dict[str, Tensor] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)

    def has_passed(self, phase: Phase) -> bool:
        """Return whether a later phase than this one is being trained."""
        names = [row["phase"] for row in self.history]
        return phase.name in names and self.phase != phase.name

    def enter(self, phase: Phase) -> None:
        """Begin a phase, or go on with it; each one stops early by itself."""
        if self.phase != phase.name:
            self.phase, self.phase_epochs, self.epochs_since_best = phase.name, 0, 0

    def is_over(self, phase: Phase, patience_epochs: int) -> bool:
        """Return whether the phase's epochs are done, or validation stands still."""
        return self.phase_epochs >= phase.epochs or self.epochs_since_best >= patience_epochs

    def record(self, row: dict[str, Any], averaged: nn.Module, watched: str = "valid_loss") -> None:
        """Add an epoch, and keep its weights if none was better."""
        self.history.append(row)
        self.phase_epochs += 1
        self.epochs_since_best += 1
        if row[watched] < self.best_loss:
            self.best_loss, self.epochs_since_best = row[watched], 0
            self.best_weights = {
                name: value.detach().cpu().clone() for name, value in averaged.state_dict().items()
            }


class Optimisation:
    """Steps the weights of a network and keeps their moving average."""

    def __init__(
        self, network: nn.Module, parameters: FitParameters, epochs: int, steps_per_epoch: int
    ) -> None:
        self._network = network
        self._parameters = parameters
        self._optimizer = AdamW(
            network.parameters(), lr=parameters.learning_rate, weight_decay=parameters.weight_decay
        )
        self._one_cycle: LRScheduler | None = None
        self._plateau: ReduceLROnPlateau | None = None
        if parameters.schedule == "one_cycle":
            self._one_cycle = OneCycleLR(
                self._optimizer,
                max_lr=parameters.learning_rate,
                total_steps=max(_SHORTEST_CYCLE_STEPS, epochs * steps_per_epoch),
                pct_start=0.25,
            )
        else:
            self._plateau = ReduceLROnPlateau(
                self._optimizer, patience=max(0, parameters.patience_epochs // 2)
            )
        self.averaged = AveragedModel(
            network, avg_fn=_moving_average(parameters.ema_decay), use_buffers=True
        )

    @property
    def learning_rate(self) -> float:
        """The rate of the next step."""
        return float(self._optimizer.param_groups[0]["lr"])

    def zero_grad(self) -> None:
        """Forget the gradients."""
        self._optimizer.zero_grad(set_to_none=True)

    def step(self) -> None:
        """Move the weights along their clipped gradients, and the average after them."""
        nn.utils.clip_grad_norm_(self._network.parameters(), self._parameters.max_gradient_norm)
        self._optimizer.step()
        if self._one_cycle is not None:
            self._one_cycle.step()
        self.averaged.update_parameters(self._network)

    def end_epoch(self, watched: float) -> None:
        """Let a plateau schedule see how the epoch went."""
        if self._plateau is not None:
            self._plateau.step(watched)

    def state_dict(self) -> dict[str, Any]:
        """Return everything that the next step depends on, the network's weights included."""
        schedule = self._one_cycle or self._plateau
        return {
            "network": self._network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "schedule": _plain(schedule.state_dict()) if schedule else {},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` returned."""
        self._network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        self._optimizer.load_state_dict(state["optimizer"])
        schedule = self._one_cycle or self._plateau
        if schedule:
            schedule.load_state_dict(state["schedule"])


def _plain(state: dict[str, Any]) -> dict[str, Any]:
    """Keep numbers and lists: functions are made anew and cannot be read without pickle."""
    return {key: value for key, value in state.items() if not callable(value)}


def _moving_average(decay: float) -> Callable[[Tensor, Tensor, Tensor | int], Tensor]:
    """Return the step of an exponential moving average that follows closely at first.

    Without the warm-up, the average of a short run would still hold the random weights and the
    empty statistics that it began with.
    """

    def step(averaged: Tensor, current: Tensor, steps: Tensor | int) -> Tensor:
        if not averaged.is_floating_point():
            return current
        warm_up = (1 + int(steps)) / (10 + int(steps))
        return torch.lerp(averaged, current, 1.0 - min(decay, warm_up))

    return step
