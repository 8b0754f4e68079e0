"""Running a network over many images.

Shapes: N images, H x W pixels, F page features, K labels.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from bukva.data.samples import Float32Array, UInt8Array


class Logits(NamedTuple):
    """What the two heads answer: float32 `(N, K)` and `(N,)`."""

    label_NK: Float32Array
    case_N: Float32Array


def to_batch(images_NHW: Tensor, page_NF: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return images as float ink 0..1 with a channel, and page features, on a device."""
    images_N1HW = images_NHW.to(device).unsqueeze(1).float().div_(255.0)
    return images_N1HW.contiguous(memory_format=torch.channels_last), page_NF.to(device)


@torch.inference_mode()
def predict_logits(
    network: nn.Module,
    images_NHW: UInt8Array,
    page_NF: Float32Array,
    *,
    batch_size: int = 1024,
    device: torch.device | None = None,
) -> Logits:
    """Return the logits of a network over images, in float32, in evaluation mode."""
    device = device or torch.device("cpu")
    network = network.to(device).eval()
    label_parts, case_parts = [], []
    for start in range(0, len(images_NHW), batch_size):
        chosen = slice(start, start + batch_size)
        # Copies: arrays out of tables may be read-only, which torch warns about.
        images, page = torch.tensor(images_NHW[chosen]), torch.tensor(page_NF[chosen])
        labels_BK, case_B = network(*to_batch(images, page, device))
        label_parts.append(labels_BK.float().cpu().numpy())
        case_parts.append(case_B.float().cpu().numpy())
    return Logits(np.concatenate(label_parts), np.concatenate(case_parts))
