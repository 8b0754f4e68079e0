"""Making the probabilities of a trained network true.

Shapes: M samples, K labels.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

_BOUNDS = (0.2, 5.0)


def fit_temperature(
    logits_MK: NDArray[np.float32], labels_M: NDArray[np.int64], weights_M: NDArray[np.float64]
) -> float:
    """Return what logits are to be divided by so that their probabilities fit the truth best.

    Temperature scaling (Guo et al. 2017, section 4.2): above 1 the network had been too sure, below
    1 not sure enough.

    Args:
        logits_MK: Of samples that were not trained on.
        labels_M: Their true labels.
        weights_M: How much each counts.
    """

    def loss(temperature: float) -> float:
        """Return the negative log-likelihood, in nats."""
        scaled_MK = logits_MK / temperature
        truth_M = scaled_MK[np.arange(len(scaled_MK)), labels_M]
        return float(np.average(logsumexp(scaled_MK, axis=1) - truth_M, weights=weights_M))

    return float(minimize_scalar(loss, bounds=_BOUNDS, method="bounded").x)


def fit_threshold(
    probabilities_M: NDArray[np.float32], weights_M: NDArray[np.float64], kept_share: float
) -> float:
    """Return the threshold, 0..1, that a share of the samples, by weight, reaches."""
    quantile = np.quantile(
        probabilities_M, 1 - kept_share, weights=weights_M, method="inverted_cdf"
    )
    return min(float(quantile), 1.0)
