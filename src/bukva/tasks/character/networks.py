"""Networks by name: images `(B, 1, 28, 28)` of ink 0..1 in, logits `(B, K)` out."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from torch import nn

from bukva.core.networks import lenet_backbone, mlp_backbone


def build_network(name: str, classes: int, width: int, dropout: float) -> nn.Module:
    """Return a new network with random weights, one of `NETWORKS`."""
    backbone, features = NETWORKS[name](width)
    return nn.Sequential(backbone, nn.Dropout(dropout), nn.Linear(features, classes))


def mlp(width: int) -> tuple[nn.Module, int]:
    """784-300-100-K at width 100 (LeCun et al. 1998, section III.C)."""
    backbone, features = mlp_backbone(width)
    return nn.Sequential(backbone, nn.Linear(features, width), nn.ReLU()), width


def lenet(width: int) -> tuple[nn.Module, int]:
    """LeNet-5 at width 6 (LeCun et al. 1998, section II.B)."""
    backbone, features = lenet_backbone(width)
    return nn.Sequential(backbone, nn.Linear(features, 14 * width), nn.Tanh()), 14 * width


def cnn(width: int) -> tuple[nn.Module, int]:
    """Five convolutions, halved twice by strides: most of the work is done at 14 x 14."""
    return nn.Sequential(
        *_convolution(1, width),
        *_convolution(width, 2 * width, stride=2),
        *_convolution(2 * width, 2 * width),
        *_convolution(2 * width, 4 * width, stride=2),
        *_convolution(4 * width, 4 * width),
        nn.MaxPool2d(2),
        nn.Flatten(),  # 3 x 3 places: where a stroke is tells as much as that it is there
        nn.Linear(9 * 4 * width, 8 * width),
        nn.BatchNorm1d(8 * width),
        nn.ReLU(),
    ), 8 * width


def _convolution(inputs: int, outputs: int, stride: int = 1) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
    return convolution, nn.BatchNorm2d(outputs), nn.ReLU()


NETWORKS: Final[Mapping[str, Callable[[int], tuple[nn.Module, int]]]] = MappingProxyType(
    {"mlp": mlp, "lenet": lenet, "cnn": cnn}
)
