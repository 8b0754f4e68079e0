"""Backbones that several tasks build on: images `(B, 1, 28, 28)` in, features `(B, D)` out."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from numpy.typing import NDArray
from torch import nn


class NetworkWeights(NamedTuple):
    """What is kept of a trained network beside its ONNX file: to go on training from.

    Attributes:
        weights: By name, as torch calls them.
        spec: The specification that the ONNX file carries.
    """

    weights: Mapping[str, NDArray[Any]]
    spec: Mapping[str, Any]


def mlp_backbone(width: int) -> tuple[nn.Sequential, int]:
    """Return the hidden layer of 784-300-100-K, at width 100 (LeCun et al. 1998, section III.C).

    Returns:
        The layers, and D.
    """
    return nn.Sequential(nn.Flatten(), nn.Linear(28 * 28, 3 * width), nn.ReLU()), 3 * width


def lenet_backbone(width: int) -> tuple[nn.Sequential, int]:
    """Return layers C1 to C5 of LeNet-5, at width 6 (LeCun et al. 1998, section II.B).

    Two things are not of 1998: C3 sees all maps of S2, and the subsampling has no weights of its
    own.

    Returns:
        The layers, and D.
    """
    layers = (
        nn.Conv2d(1, width, kernel_size=5, padding=2),  # the paper's frame is 32 px, ours 28
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Conv2d(width, 8 * width // 3, kernel_size=5),
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Conv2d(8 * width // 3, 20 * width, kernel_size=5),  # C5: 5 x 5 becomes 1 x 1
        nn.Tanh(),
        nn.Flatten(),
    )
    return nn.Sequential(*layers), 20 * width
