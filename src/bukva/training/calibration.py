"""Making the probabilities of a trained network true.

Shapes: N samples, K labels.
"""

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp
from torch import nn

from bukva.data.samples import Float32Array
from bukva.models.prediction import predict_logits
from bukva.training.samples import GlyphSamples

_BOUNDS = (0.2, 5.0)


def calibrate_labels(network: nn.Module, valid: GlyphSamples) -> float:
    """Scale the label head so that its probabilities fit the validation samples best.

    Temperature scaling (Guo et al. 2017, section 4.2). The temperature becomes part of the head's
    weights: no answer changes, and whatever reads the weights later needs to know nothing of it.

    Args:
        network: Has a linear layer `label_head`; changed in place.
        valid: Samples that were not trained on.

    Returns:
        The temperature: above 1 the network had been too sure, below 1 not sure enough.
    """
    logits_NK = predict_logits(network, valid.images_NHW, valid.page_NF).label_NK
    temperature = float(
        minimize_scalar(lambda t: _loss(logits_NK / t, valid), bounds=_BOUNDS, method="bounded").x
    )
    with torch.no_grad():
        for weight in network.get_submodule("label_head").parameters():
            weight.div_(temperature)
    return temperature


def _loss(logits_NK: Float32Array, valid: GlyphSamples) -> float:
    """Return the negative log-likelihood, weighted as training draws the samples."""
    truth_N = logits_NK[np.arange(len(logits_NK)), valid.labels_N]
    losses_N = logsumexp(logits_NK, axis=1) - truth_N
    return float(np.average(losses_N, weights=valid.weights_N))
