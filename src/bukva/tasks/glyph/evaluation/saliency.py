"""Which parts of a symbol an answer rests on: two ways to ask a network, of its label or its case.

Grad-CAM asks the gradient: where do the features speak for the answer? Occlusion asks by trial:
where does covering the ink take the answer away? The service asks the same of packaged models.

Shapes: N samples, H x W pixels, h x w places of the last feature map, S scores, K classes.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bukva.core.arrays import Float32Array, UInt8Array
from bukva.tasks.glyph.feature_map import cut_at_map
from bukva.tasks.glyph.trained import TrainedModel, to_batch

PATCH_PX: Final = 7
STRIDE_PX: Final = 3
"""With a frame of 28 px: 64 patches, each pixel under four or more but for the rim."""

_TRIALS_AT_ONCE: Final = 1024

Targets = NDArray[np.int64]


def target_labels(labels: Sequence[str], classes: str) -> Targets:
    """Return what to ask of each image: why this label?

    Args:
        labels: One an image.
        classes: What the label head tells apart, in order.

    Raises:
        ValueError: If a label is none of the classes.
    """
    return np.array([classes.index(label) for label in labels], dtype=np.int64)


def target_cases(is_uppercase: Sequence[bool], classes: str) -> Targets:
    """Return what to ask of each image: why upper case, or why lower?"""
    return np.array([len(classes) + (not is_upper) for is_upper in is_uppercase], dtype=np.int64)


def grad_cam(
    network: nn.Module, images_NHW: UInt8Array, page_NF: Float32Array, targets_N: Targets
) -> Float32Array | None:
    """Return where the last feature map speaks for an answer.

    Selvaraju et al. 2017, "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
    Localization", section 3: channels weighted by the mean gradient of the logit, added up, and cut
    off at 0.

    Args:
        network: In evaluation mode.
        images_NHW: uint8, ink high on zero.
        page_NF: Page features.
        targets_N: What is asked: `target_labels` or `target_cases`.

    Returns:
        `(N, h, w)` of at least 0, comparable within an image; None where the network has no
        feature map.
    """
    from captum.attr import LayerGradCam

    mapped = cut_at_map(network, images_NHW.shape[-1])
    if mapped is None:
        return None
    images_N1HW, page = _to_tensors(images_NHW, page_NF)
    maps_N1hw = LayerGradCam(_Logits(mapped), mapped.map_layer).attribute(
        images_N1HW,
        torch.from_numpy(targets_N),
        additional_forward_args=page,
        relu_attributions=True,
    )
    return _to_array(maps_N1hw)


def occlusion(
    network: nn.Module, images_NHW: UInt8Array, page_NF: Float32Array, targets_N: Targets
) -> Float32Array:
    """Return by how much covering what is around a pixel lowers the probability of an answer.

    Zeiler and Fergus 2014, "Visualizing and Understanding Convolutional Networks", section 4.2. The
    ink is taken away in the frame that the network sees, which stays where it is.

    Args:
        network: In evaluation mode.
        images_NHW: uint8, ink high on zero.
        page_NF: Page features.
        targets_N: What is asked: `target_labels` or `target_cases`.

    Returns:
        `(N, H, W)`, -1..1: the mean over the patches that hold the pixel; below 0 where the answer
        is surer without it.
    """
    from captum.attr import Occlusion

    images_N1HW, page = _to_tensors(images_NHW, page_NF)
    with torch.inference_mode():
        falls_N1HW = Occlusion(_Probabilities(network)).attribute(
            images_N1HW,
            sliding_window_shapes=(1, PATCH_PX, PATCH_PX),
            strides=(1, STRIDE_PX, STRIDE_PX),
            target=torch.from_numpy(targets_N),
            additional_forward_args=page,
            perturbations_per_eval=max(1, _TRIALS_AT_ONCE // len(images_NHW)),
        )
    return _to_array(falls_N1HW)


def explain_labels(
    model: TrainedModel, images_NHW: UInt8Array, page_NF: Float32Array, labels: Sequence[str]
) -> dict[str, Float32Array]:
    """Return maps of why a model reads each image as a label, by what they are called."""
    if not len(images_NHW):
        return {}
    network, targets_N = model.to_network(), target_labels(labels, model.spec.labels)
    cam = grad_cam(network, images_NHW, page_NF, targets_N)
    maps = {} if cam is None else {"Grad-CAM": cam}
    return maps | {"occlusion": occlusion(network, images_NHW, page_NF, targets_N)}


class _Logits(nn.Module):
    """The scores `(N, S)` that can be asked for: of each class, of upper case, of lower case."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images_N1HW: Tensor, page_NF: Tensor) -> Tensor:
        label_NK, case_N = self.network(images_N1HW, page_NF)
        return torch.cat([label_NK, case_N[:, None], -case_N[:, None]], dim=1)


class _Probabilities(_Logits):
    """The same as probabilities."""

    def forward(self, images_N1HW: Tensor, page_NF: Tensor) -> Tensor:
        label_NK, case_N = self.network(images_N1HW, page_NF)
        cases_N2 = torch.stack([case_N, -case_N], dim=1).sigmoid()
        return torch.cat([label_NK.softmax(dim=1), cases_N2], dim=1)


def _to_tensors(images_NHW: UInt8Array, page_NF: Float32Array) -> tuple[Tensor, Tensor]:
    return to_batch(torch.tensor(images_NHW), torch.tensor(page_NF), torch.device("cpu"))


def _to_array(maps_N1HW: Tensor) -> Float32Array:
    maps_NHW: Float32Array = maps_N1HW.detach().squeeze(1).numpy().astype(np.float32)
    return maps_NHW
