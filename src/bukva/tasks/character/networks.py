"""Networks by name: images `(B, 1, 28, 28)` of ink 0..1 in, logits `(B, K)` out."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from torch import nn


def build_network(name: str, classes: int, width: int, dropout: float) -> nn.Module:
    """Return a new network with random weights, one of `NETWORKS`."""
    backbone, features = NETWORKS[name](width)
    return nn.Sequential(backbone, nn.Dropout(dropout), nn.Linear(features, classes))


def mlp(width: int) -> tuple[nn.Module, int]:
    """784-300-100-K at width 100 (LeCun et al. 1998, section III.C)."""
    layers = [nn.Flatten(), nn.Linear(28 * 28, 3 * width), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(3 * width, width), nn.ReLU()), width


def lenet(width: int) -> tuple[nn.Module, int]:
    """LeNet-5 (LeCun et al. 1998, section II.B) at width 6; C3 sees all maps of S2."""
    return nn.Sequential(
        nn.Conv2d(1, width, kernel_size=5, padding=2),  # the paper's frame is 32 px, ours 28
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Conv2d(width, 8 * width // 3, kernel_size=5),
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Conv2d(8 * width // 3, 20 * width, kernel_size=5),  # C5: 5 x 5 becomes 1 x 1
        nn.Tanh(),
        nn.Flatten(),
        nn.Linear(20 * width, 14 * width),
        nn.Tanh(),
    ), 14 * width


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
