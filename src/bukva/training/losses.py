"""What training minimises.

Shapes: B images in a batch, K labels.
"""

import torch
from torch import Tensor
from torch.nn import functional


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
