"""Making the probabilities of a trained network true.

Shapes: N samples, M of them symbols, C classes, K of them labels.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp, softmax
from torch import nn

from bukva.charset import LABELS
from bukva.data.samples import Float32Array
from bukva.models.prediction import predict_logits
from bukva.training.samples import GlyphSamples

_BOUNDS = (0.2, 5.0)


def calibrate_labels(network: nn.Module, valid: GlyphSamples) -> float:
    """Scale the label head so that its probabilities of labels fit the validation symbols best.

    Temperature scaling (Guo et al. 2017, section 4.2). The temperature becomes part of the head's
    weights: no answer changes, and whatever reads the weights later needs to know nothing of it.

    Args:
        network: Has a linear layer `label_head`; changed in place.
        valid: Samples that were not trained on.

    Returns:
        The temperature: above 1 the network had been too sure, below 1 not sure enough.
    """
    logits_NC = predict_logits(network, valid.images_NHW, valid.page_NF).label_NK
    is_symbol_N = _is_symbol(valid)
    logits_MK, labels_M = logits_NC[is_symbol_N, : len(LABELS)], valid.labels_N[is_symbol_N]
    weights_M = valid.weights_N[is_symbol_N]
    found = minimize_scalar(
        lambda t: _loss(logits_MK / t, labels_M, weights_M), bounds=_BOUNDS, method="bounded"
    )
    temperature = float(found.x)
    with torch.no_grad():
        for weight in network.get_submodule("label_head").parameters():
            weight.div_(temperature)
    return temperature


def fit_symbol_threshold(network: nn.Module, valid: GlyphSamples, kept_share: float) -> float:
    """Return the probability of showing a symbol below which an image is to be refused.

    Args:
        network: Calibrated.
        valid: Samples that were not trained on.
        kept_share: Share of the symbols, weighted as training draws them, that is not refused.

    Returns:
        A probability, 0..1; 0 where nothing that shows no symbol is among the samples.
    """
    is_symbol_N = _is_symbol(valid)
    if is_symbol_N.all() or not is_symbol_N.any():
        return 0.0
    logits_NC = predict_logits(network, valid.images_NHW, valid.page_NF).label_NK
    symbol_M = softmax(logits_NC[is_symbol_N], axis=1)[:, : len(LABELS)].sum(axis=1)
    weights_M = valid.weights_N[is_symbol_N]
    quantile = np.quantile(symbol_M, 1 - kept_share, weights=weights_M, method="inverted_cdf")
    return float(min(quantile, 1.0))


def _is_symbol(samples: GlyphSamples) -> NDArray[np.bool_]:
    return samples.labels_N < len(LABELS)


def _loss(
    logits_MK: Float32Array, labels_M: NDArray[np.int64], weights_M: NDArray[np.float64]
) -> float:
    """Return the negative log-likelihood, weighted as training draws the samples."""
    truth_M = logits_MK[np.arange(len(logits_MK)), labels_M]
    losses_M = logsumexp(logits_MK, axis=1) - truth_M
    return float(np.average(losses_M, weights=weights_M))
