"""Networks that tell handwriting from print: ink `(B, 1, H, W)` 0..1 in, logits and maps out.

The maps are averaged to the logits where ink lies: a class activation map is the answer itself,
before it was averaged (Zhou et al. 2016), and paper without ink has no say.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

_IS_INK: Final = 0.3


class MapNetwork(nn.Module):
    """Layers that end in a map for each class."""

    def __init__(self, features: nn.Module, channels: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.features = features
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Conv2d(channels, classes, 1)

    def forward(self, ink_B1HW: Tensor) -> Tensor:
        """Return the logits `(B, K)`."""
        return self.with_maps(ink_B1HW)[0]

    def with_maps(self, ink_B1HW: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits `(B, K)` and the maps `(B, K, h, w)` that they are means of."""
        maps_BKhw = self.head(self.dropout(self.features(ink_B1HW)))
        return pool_on_ink(maps_BKhw, ink_B1HW), maps_BKhw


def pool_on_ink(maps_BKhw: Tensor, ink_B1HW: Tensor) -> Tensor:
    """Return the mean of each map `(B, K)` over the cells that hold ink."""
    down = ink_B1HW.shape[2] // maps_BKhw.shape[2]
    across = ink_B1HW.shape[3] // maps_BKhw.shape[3]
    has_ink_B1hw = (functional.max_pool2d(ink_B1HW, (down, across)) > _IS_INK).to(maps_BKhw.dtype)
    cells_B1 = has_ink_B1hw.sum(dim=(2, 3)).clamp(min=1.0)
    return (maps_BKhw * has_ink_B1hw).sum(dim=(2, 3)) / cells_B1


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*_convolution(width, width, 1))

    def forward(self, values: Tensor) -> Tensor:
        added: Tensor = values + self.layers(values)
        return added


def _convolution(inputs: int, outputs: int, stride: int, size: int = 3) -> tuple[nn.Module, ...]:
    layer = nn.Conv2d(inputs, outputs, size, stride=stride, padding=size // 2, bias=False)
    return layer, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)


def strides(width: int) -> tuple[nn.Module, int]:
    """Four strides in a row, and residual layers where pictures are small by then.

    0.16 M parameters and 35 million multiplications a frame of 64 x 512 at width 12.
    """
    layers = nn.Sequential(
        *_convolution(1, width, 2, size=5),
        *_convolution(width, 2 * width, 2),
        *_convolution(2 * width, 4 * width, 2),
        _Residual(4 * width),
        *_convolution(4 * width, 8 * width, 2),
        _Residual(8 * width),
    )
    return layers, 8 * width


_STAGES: Final = (
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
    (6, 320, 1, 1),
)  # fmt: skip
"""Expansion, channels, blocks and first stride (Sandler et al. 2018, table 2)."""


def mobilenet_v2(_width: int) -> tuple[nn.Module, int]:
    """MobileNetV2 1.0 (Sandler et al. 2018), its layers called as torchvision calls them."""
    return _MobileFeatures(), 1280


class _MobileFeatures(nn.Module):
    """Dark ink on white, three times, -1..1: what the weights of ImageNet were made for."""

    def __init__(self) -> None:
        super().__init__()
        blocks: list[nn.Module] = [_bounded(3, 32, 3, stride=2)]
        channels = 32
        for expansion, width, count, stride in _STAGES:
            for place in range(count):
                blocks.append(_Inverted(channels, width, stride if not place else 1, expansion))
                channels = width
        self.layers = nn.Sequential(*blocks, _bounded(channels, 1280, 1))

    def forward(self, ink_B1HW: Tensor) -> Tensor:
        features: Tensor = self.layers((1 - 2 * ink_B1HW).expand(-1, 3, -1, -1))
        return features


class _Inverted(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        widen = [] if expansion == 1 else [_bounded(inputs, hidden, 1)]
        self.conv = nn.Sequential(
            *widen,
            _bounded(hidden, hidden, 3, stride=stride, groups=hidden),
            nn.Conv2d(hidden, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.adds = stride == 1 and inputs == outputs

    def forward(self, values: Tensor) -> Tensor:
        changed: Tensor = self.conv(values)
        return values + changed if self.adds else changed


def _bounded(
    inputs: int, outputs: int, size: int, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    layer = nn.Conv2d(
        inputs, outputs, size, stride=stride, padding=size // 2, groups=groups, bias=False
    )
    return nn.Sequential(layer, nn.BatchNorm2d(outputs), nn.ReLU6(inplace=True))


NETWORKS: Final[Mapping[str, Callable[[int], tuple[nn.Module, int]]]] = MappingProxyType(
    {"strides": strides, "mobilenet_v2": mobilenet_v2}
)


def build_network(name: str, width: int, dropout: float, classes: int = 2) -> MapNetwork:
    """Return a new network with random weights, one of `NETWORKS`."""
    features, channels = NETWORKS[name](width)
    return MapNetwork(features, channels, classes, dropout)


class FromPixels(nn.Module):
    """A network as it is exported: takes uint8 `(N, H, W)`, gives logits and maps."""

    def __init__(self, network: MapNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, images_NHW: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits `(N, K)` and the maps `(N, K, h, w)`."""
        return self.network.with_maps(images_NHW.unsqueeze(1).to(torch.float32) / 255.0)
