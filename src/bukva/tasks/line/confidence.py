"""From what a search says of a text to how sure one may be of it.

Shapes: N words or lines, F features, the last one constant.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, xlogy

_PULL: Final = 1e-3
"""By which weights are drawn to 0, so that few lines give finite ones."""


class Sureness(NamedTuple):
    """Weights of a logistic regression.

    Attributes:
        mean: Of the mean of the logarithms of what the network says of each character.
        least: Of the lowest of them.
        share: Of the logarithm of the share of the search's texts that have it so.
        constant: What is added.
    """

    mean: float = 1.0
    least: float = 1.0
    share: float = 1.0
    constant: float = 3.0

    def apply(self, features_F: Sequence[float]) -> float:
        """Return how sure one may be, 0..1."""
        return float(expit(np.dot(features_F, self)))


def describe(chances: Sequence[float], share: float) -> tuple[float, float, float, float]:
    """Return the features of a word or a line.

    Args:
        chances: What the network says of each character, 0..1.
        share: Of the search's texts that have it so.
    """
    logs = np.log(np.maximum(chances, 1e-6))
    return float(logs.mean()), float(logs.min()), float(np.log(max(share, 1e-6))), 1.0


def fit_sureness(
    features_NF: NDArray[np.float64], right_N: NDArray[np.float64], weights_N: NDArray[np.float64]
) -> Sureness:
    """Return the weights that fit best.

    Args:
        features_NF: Of words or lines that were not learnt from.
        right_N: Whether each was right, or which share of it, 0..1.
        weights_N: How much each counts.
    """
    if not len(right_N):
        return Sureness()
    share_N = weights_N / weights_N.sum()

    def loss(weights_F: NDArray[np.float64]) -> float:
        """Return the cross-entropy, in nats."""
        sure_N = np.clip(expit(features_NF @ weights_F), 1e-9, 1 - 1e-9)
        entropy_N = -xlogy(right_N, sure_N) - xlogy(1 - right_N, 1 - sure_N)
        return float(share_N @ entropy_N + _PULL * np.square(weights_F).sum())

    found = minimize(loss, np.array(Sureness()), method="BFGS").x
    return Sureness(*(round(float(weight), 6) for weight in found))
