"""The loop trains what is no glyph: here 62 classes, as of EMNIST, without case or page."""

import hashlib
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from training_runs import MemoryStore, assert_same_weights

from bukva.core.training.calibration import fit_temperature, fit_threshold
from bukva.core.training.fit import Learner, fit
from bukva.core.training.optimisation import Phase
from bukva.core.training.parameters import FitParameters

CLASSES = 62
PARAMETERS = FitParameters(
    batch_size=64, steps_per_epoch=10, learning_rate=0.05, ema_decay=0.5, device="cpu"
)


class VectorLearner:
    """Tells vectors by the nearest of 62 directions."""

    def __init__(self) -> None:
        rng = np.random.default_rng(1)
        self.labels_N = rng.integers(0, CLASSES, 1000)
        directions_KD = rng.normal(size=(CLASSES, 16)).astype(np.float32)
        noise_ND = rng.normal(size=(1000, 16)).astype(np.float32)
        self.vectors_ND = 2 * directions_KD[self.labels_N] + 0.3 * noise_ND
        self.phases: Sequence[Phase] = (Phase("all", 6),)
        self.chances_N: NDArray[np.float64] = np.ones(1000)

    def digests(self) -> tuple[str, ...]:
        return (hashlib.sha256(self.vectors_ND.tobytes()).hexdigest(),)

    def to(self, device: torch.device) -> None:
        self.x_ND = torch.from_numpy(self.vectors_ND).to(device)
        self.y_N = torch.from_numpy(self.labels_N).to(device)

    def loss(self, network: nn.Module, chosen_B: Tensor, generator: torch.Generator) -> Tensor:
        noise_BD = 0.1 * torch.randn((len(chosen_B), 16), generator=generator)
        return functional.cross_entropy(network(self.x_ND[chosen_B] + noise_BD), self.y_N[chosen_B])

    @torch.no_grad()
    def validate(self, network: nn.Module) -> dict[str, float]:
        logits_NK = network(self.x_ND)
        accuracy = (logits_NK.argmax(1) == self.y_N).float().mean()
        return {
            "valid_loss": float(functional.cross_entropy(logits_NK, self.y_N)),
            "valid_accuracy": float(accuracy),
        }


def make_network() -> nn.Module:
    network = nn.Linear(16, CLASSES)
    nn.init.zeros_(network.weight)
    nn.init.zeros_(network.bias)
    return network


def test_any_task_is_learnt_and_gone_on_with() -> None:
    learner: Learner = VectorLearner()
    whole = fit(make_network(), learner, PARAMETERS)
    assert list(whole.history)[3:-1] == ["train_loss", "valid_loss", "valid_accuracy"]
    assert whole.history["valid_accuracy"].iloc[-1] > 0.9
    killed, store = MemoryStore(saves_until_killed=3), MemoryStore()
    with pytest.raises(KeyboardInterrupt):
        fit(make_network(), learner, PARAMETERS, checkpoints=killed)
    store.kept = killed.kept
    assert_same_weights(fit(make_network(), learner, PARAMETERS, checkpoints=store), whole)
    assert len(store.states) == 3


class PlannedLearner(VectorLearner):
    """Says itself what a batch is made of: vectors whose labels are next to each other."""

    def __init__(self) -> None:
        super().__init__()
        self.phases = (Phase("all", 4, watched="valid_error"),)
        self.seen: list[int] = []
        self.epochs: list[int] = []

    def plan_epoch(
        self, epoch: int, steps: int, batch_size: int, generator: torch.Generator
    ) -> Tensor:
        self.epochs.append(epoch)
        drawn = torch.randint(len(self.labels_N), (steps * batch_size,), generator=generator)
        order = torch.from_numpy(self.labels_N)[drawn].argsort()
        return drawn[order].reshape(steps, batch_size)

    def loss(self, network: nn.Module, chosen_B: Tensor, generator: torch.Generator) -> Tensor:
        self.seen.append(int(np.ptp(self.labels_N[chosen_B.numpy()])))
        return super().loss(network, chosen_B, generator)

    def validate(self, network: nn.Module) -> dict[str, float]:
        measures = super().validate(network)
        # The loss falls all the while; what is watched is best after the second epoch.
        return measures | {"valid_error": abs(len(self.epochs) - 2)}


def test_a_learner_may_plan_its_batches_and_say_what_is_watched() -> None:
    learner = PlannedLearner()
    whole = fit(make_network(), learner, PARAMETERS)
    assert learner.epochs == [1, 2, 3, 4]
    assert max(learner.seen) < CLASSES // 2
    assert whole.history["valid_loss"].is_monotonic_decreasing
    two = PARAMETERS.model_copy(update={"patience_epochs": 1})
    stopped = fit(make_network(), PlannedLearner(), two)
    assert len(stopped.history) == 3
    assert_same_weights(stopped, whole)


def test_what_is_planned_goes_on_where_it_was_killed() -> None:
    whole = fit(make_network(), PlannedLearner(), PARAMETERS)
    killed, store = MemoryStore(saves_until_killed=1), MemoryStore()
    with pytest.raises(KeyboardInterrupt):
        fit(make_network(), PlannedLearner(), PARAMETERS, checkpoints=killed)
    store.kept = killed.kept
    learner = PlannedLearner()
    learner.epochs = [1]
    assert_same_weights(fit(make_network(), learner, PARAMETERS, checkpoints=store), whole)
    assert learner.epochs == [1, 2, 3, 4]


def test_any_task_is_calibrated() -> None:
    rng = np.random.default_rng(0)
    logits_MK = 3 * rng.normal(size=(4000, CLASSES)).astype(np.float32)
    chances_MK = np.exp(logits_MK) / np.exp(logits_MK).sum(axis=1, keepdims=True)
    labels_M = (rng.random((4000, 1)) > chances_MK.cumsum(axis=1)).sum(axis=1)
    assert fit_temperature(2 * logits_MK, labels_M, np.ones(4000)) == pytest.approx(2, rel=0.1)
    scores_M = np.linspace(0, 1, 1001, dtype=np.float32)
    assert fit_threshold(scores_M, np.ones(1001), 0.9) == pytest.approx(0.1, abs=0.002)
