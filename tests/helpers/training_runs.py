"""What tests of training share: a small network, a checkpoint store that can be killed."""

import numpy as np
from torch import nn

from bukva.core.training.device import seeded
from bukva.core.training.fit import FitResult
from bukva.tasks.glyph.networks import build_network


class MemoryStore:
    """A checkpoint store in memory that can be killed after some saves, as a machine can."""

    def __init__(self, saves_until_killed: int | None = None) -> None:
        self.states: list[bytes] = []
        self.kept: bytes | None = None
        self._saves_until_killed = saves_until_killed

    def load(self) -> bytes | None:
        return self.kept

    def save(self, state: bytes) -> None:
        self.states.append(state)
        self.kept = state
        if len(self.states) == self._saves_until_killed:
            raise KeyboardInterrupt

    def clear(self) -> None:
        self.kept = None


def make_network(seed: int = 1, width: int = 4) -> nn.Module:
    with seeded(seed):
        return build_network("glyph_cnn", 43, width=width)


def assert_same_weights(result: FitResult, other: FitResult) -> None:
    assert result.weights.keys() == other.weights.keys()
    for name, value in result.weights.items():
        np.testing.assert_array_equal(value, other.weights[name], err_msg=name)
