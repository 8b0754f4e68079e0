"""What a network learns of glyphs: label and case of one symbol, varied, and the refusal of none.

Shapes: B images in a batch, N samples, M of them symbols, H x W pixels, F page features, C classes,
K labels.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import softmax
from torch import Tensor, nn
from torch.nn import functional

from bukva.core.training.calibration import fit_temperature, fit_threshold
from bukva.core.training.device import autocast
from bukva.core.training.optimisation import Phase
from bukva.errors import TrainingError
from bukva.tasks.glyph.augmentation import augment_images, augment_page, lend_page
from bukva.tasks.glyph.charset import LABELS
from bukva.tasks.glyph.parameters import TrainingParameters
from bukva.tasks.glyph.trained import predict_logits, to_batch
from bukva.tasks.glyph.training_samples import GlyphSamples


class GlyphLearner:
    """Teaches a network of two heads; first the heads alone, then all of it.

    Args:
        train: What is learnt from.
        valid: What decides which epoch is kept and when to stop early.
        parameters: Of the losses, the phases and the variation.

    Raises:
        TrainingError: If there is nothing to train or validate on.
    """

    def __init__(
        self, train: GlyphSamples, valid: GlyphSamples, parameters: TrainingParameters
    ) -> None:
        if not len(train) or not len(valid):
            message = (
                f"Expected samples to train and validate on, got {len(train)} and {len(valid)}."
            )
            raise TrainingError(message)
        self.phases: Sequence[Phase] = (
            Phase("heads", parameters.head_epochs, held="backbone."),
            Phase("all", parameters.max_epochs),
        )
        self.chances_N = train.weights_N
        self._train, self._valid, self._parameters = train, valid, parameters

    def digests(self) -> tuple[str, ...]:
        """Return a sha256 of each of both splits."""
        return self._train.digest(), self._valid.digest()

    def to(self, device: torch.device) -> None:
        """Move the samples to a device, all at once."""

        def move(values: NDArray[Any]) -> Tensor:
            # A copy: arrays from the catalog may be read-only, which torch warns about.
            return torch.from_numpy(np.array(values)).to(device)

        self._device = device
        self._images_NHW = move(self._train.images_NHW)
        self._page_NF = move(self._train.page_NF)
        self._labels_N = move(self._train.labels_N)
        self._uppercase_N = move(self._train.uppercase_N)

    def loss(self, network: nn.Module, chosen_B: Tensor, generator: torch.Generator) -> Tensor:
        """Return the mean loss over some samples, each varied at random."""
        uppercase_B, augmentation = self._uppercase_N[chosen_B], self._parameters.augmentation
        images_B1HW, page_BF = to_batch(
            self._images_NHW[chosen_B], self._page_NF[chosen_B], self._device
        )
        page_BF = lend_page(page_BF, uppercase_B.isnan(), augmentation.page_lending, generator)
        images_B1HW = augment_images(images_B1HW, augmentation, generator)
        page_BF = augment_page(page_BF, augmentation, generator)
        with autocast(self._device, self._parameters.precision):
            logits = network(images_B1HW, page_BF)
        return self._loss(*logits, self._labels_N[chosen_B], uppercase_B)

    def _loss(self, *tensors: Tensor, weights_B: Tensor | None = None) -> Tensor:
        return glyph_loss(
            *tensors,
            weights_B=weights_B,
            label_smoothing=self._parameters.label_smoothing,
            case_loss_weight=self._parameters.case_loss_weight,
        )

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Measure a network on the validation samples, weighted as training draws them."""
        valid = self._valid
        logits = predict_logits(network, valid.images_NHW, valid.page_NF, device=self._device)
        arrays = (*logits, valid.labels_N, valid.uppercase_N, valid.weights_N)
        *tensors, weights_N = (torch.from_numpy(np.array(values)) for values in arrays)
        right_label_N = logits.label_NK.argmax(axis=1) == valid.labels_N
        right_case_N = (logits.case_N > 0) == (valid.uppercase_N > 0.5)
        has_case_N = ~np.isnan(valid.uppercase_N)
        return {
            "valid_loss": float(self._loss(*tensors, weights_B=weights_N)),
            "valid_label_accuracy": _weighted_mean(right_label_N, valid.weights_N),
            "valid_case_accuracy": _weighted_mean(right_case_N, valid.weights_N * has_case_N),
        }


def _weighted_mean(values_N: NDArray[Any], weights_N: NDArray[Any]) -> float:
    """Return the mean, NaN where all weights are zero."""
    total = float(weights_N.sum())
    return float((values_N * weights_N).sum()) / total if total else math.nan


def glyph_loss(
    logits_BK: Tensor,
    case_logits_B: Tensor,
    labels_B: Tensor,
    uppercase_B: Tensor,
    *,
    weights_B: Tensor | None = None,
    label_smoothing: float = 0.0,
    case_loss_weight: float = 1.0,
) -> Tensor:
    """Return cross-entropy of the label plus binary cross-entropy of the case.

    The case counts only where it is known: a digit has none, and some corpora do not say.

    Args:
        logits_BK: Label logits.
        case_logits_B: Logits of being upper case.
        labels_B: int64 label indices.
        uppercase_B: float, 1 or 0, NaN where there is no case.
        weights_B: Weights of a mean over the batch, None for equal ones.
        label_smoothing: Share of the target spread over all labels.
        case_loss_weight: Weight of the second term.

    Returns:
        A scalar, in nats.
    """
    label_losses_B = functional.cross_entropy(
        logits_BK.float(), labels_B, label_smoothing=label_smoothing, reduction="none"
    )
    is_known_B = ~torch.isnan(uppercase_B)
    case_losses_B = functional.binary_cross_entropy_with_logits(
        case_logits_B.float(), torch.nan_to_num(uppercase_B), reduction="none"
    )
    # The mean is over the batch, so that a batch with few letters does not shout.
    losses_B = label_losses_B + case_loss_weight * case_losses_B * is_known_B
    if weights_B is None:
        return losses_B.mean()
    return (losses_B * weights_B).sum() / weights_B.sum()


def calibrate_labels(network: nn.Module, valid: GlyphSamples) -> float:
    """Scale the label head so that its probabilities of labels fit the validation symbols best.

    The temperature becomes part of the head's weights: no answer changes, and whatever reads the
    weights later needs to know nothing of it.

    Args:
        network: Has a linear layer `label_head`; changed in place.
        valid: Samples that were not trained on.

    Returns:
        The temperature: above 1 the network had been too sure, below 1 not sure enough.
    """
    logits_NC = predict_logits(network, valid.images_NHW, valid.page_NF).label_NK
    is_symbol_N = valid.labels_N < len(LABELS)
    temperature = fit_temperature(
        logits_NC[is_symbol_N, : len(LABELS)],
        valid.labels_N[is_symbol_N],
        valid.weights_N[is_symbol_N],
    )
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
    is_symbol_N = valid.labels_N < len(LABELS)
    if is_symbol_N.all() or not is_symbol_N.any():
        return 0.0
    logits_NC = predict_logits(network, valid.images_NHW, valid.page_NF).label_NK
    symbol_M = softmax(logits_NC[is_symbol_N], axis=1)[:, : len(LABELS)].sum(axis=1)
    return fit_threshold(symbol_M, valid.weights_N[is_symbol_N], kept_share)
