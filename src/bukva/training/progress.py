"""What a training run has reached; all of it goes into every checkpoint."""

import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from torch import Tensor, nn

from bukva.parameters import TrainingParameters


class Phase(NamedTuple):
    """Epochs that share one optimiser and one schedule."""

    name: str
    epochs: int


def plan_phases(parameters: TrainingParameters) -> list[Phase]:
    """Return the heads alone, then everything; a phase without epochs is left out."""
    phases = (Phase("heads", parameters.head_epochs), Phase("all", parameters.max_epochs))
    return [phase for phase in phases if phase.epochs]


@dataclass
class Progress:
    """What has been reached so far.

    Attributes:
        phase: Name of the phase that is being trained; empty before the first.
        phase_epochs: Epochs done in it.
        epochs_since_best: Epochs of it since the validation loss was the lowest so far.
        best_loss: The lowest validation loss of all epochs.
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
        """Begin a phase, or go on with it; each one has its own patience."""
        if self.phase != phase.name:
            self.phase, self.phase_epochs, self.epochs_since_best = phase.name, 0, 0

    def is_over(self, phase: Phase, patience_epochs: int) -> bool:
        """Return whether the phase's epochs are done, or validation stands still."""
        return self.phase_epochs >= phase.epochs or self.epochs_since_best >= patience_epochs

    def record(self, row: dict[str, Any], averaged: nn.Module) -> None:
        """Add an epoch, and keep its weights if none was better."""
        self.history.append(row)
        self.phase_epochs += 1
        self.epochs_since_best += 1
        if row["valid_loss"] < self.best_loss:
            self.best_loss, self.epochs_since_best = row["valid_loss"], 0
            self.best_weights = {
                name: value.detach().cpu().clone() for name, value in averaged.state_dict().items()
            }
