"""Networks of two heads, by name, and what they are built of.

Shapes: B images in a batch, C channels, H x W pixels, D features, F page features, K labels.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, cast

import torch
from torch import Tensor, nn

from bukva.core.networks import lenet_backbone, mlp_backbone
from bukva.errors import ParameterError

_PAGE_WIDTH = 32


class TwoHeadedNetwork(nn.Module):
    """A backbone for the image, a branch for its page, a neck and two heads.

    The page features join after the backbone: they say how large and where, the image says what.
    """

    def __init__(
        self,
        backbone: nn.Module,
        backbone_width: int,
        neck_width: int,
        label_count: int,
        page_features: int,
        dropout: float,
    ) -> None:
        """Put the parts together.

        Args:
            backbone: Takes images `(B, 1, H, W)`, gives features `(B, backbone_width)`.
            backbone_width: Features that the backbone gives.
            neck_width: Features that the heads read.
            label_count: What the label head tells apart.
            page_features: Columns of the page features.
            dropout: Before the heads.
        """
        super().__init__()
        self.backbone = backbone
        self.page = nn.Sequential(nn.Linear(2 * page_features, _PAGE_WIDTH), nn.ReLU())
        self.neck = nn.Sequential(
            nn.Linear(backbone_width + _PAGE_WIDTH, neck_width),
            nn.BatchNorm1d(neck_width),
            nn.ReLU(),
            nn.Dropout(dropout),
        )
        self.label_head = nn.Linear(neck_width, label_count)
        self.case_head = nn.Linear(neck_width, 1)

    def forward(self, images_B1HW: Tensor, page_BF: Tensor) -> tuple[Tensor, Tensor]:
        """Return label logits `(B, K)` and the logit of being upper case `(B,)`.

        Args:
            images_B1HW: float, ink 0..1 on zero.
            page_BF: float page features, NaN where unknown.
        """
        return self.answer(self.backbone(images_B1HW), page_BF)

    def answer(self, features_BD: Tensor, page_BF: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the heads say of the backbone's features and the page, as `forward` does."""
        neck_BD = self.neck(self._meet(features_BD, page_BF))
        return self.label_head(neck_BD), self.case_head(neck_BD).squeeze(1)

    def label_gradient(self, features_BD: Tensor, page_BF: Tensor, labels_B: Tensor) -> Tensor:
        """Return by how much each feature raises the logit of a label, `(B, D)`.

        Written out, so that it can be part of an exported file; of a network in evaluation mode.
        """
        linear, normalisation = cast("tuple[nn.Linear, nn.BatchNorm1d]", tuple(self.neck)[:2])
        variance_D = cast("Tensor", normalisation.running_var)
        scale_D = normalisation.weight / (variance_D + normalisation.eps).sqrt()
        is_active_BD = normalisation(linear(self._meet(features_BD, page_BF))) > 0
        by_neck_BD = self.label_head.weight[labels_B] * is_active_BD * scale_D
        gradient_BD: Tensor = by_neck_BD @ linear.weight
        return gradient_BD[:, : features_BD.shape[1]]

    def _meet(self, features_BD: Tensor, page_BF: Tensor) -> Tensor:
        return torch.cat([features_BD, self.page(_with_presence(page_BF))], dim=1)


class MeanMaxPool(nn.Module):
    """Each channel's mean and maximum over all places: `(B, C, H, W)` becomes `(B, 2 C)`."""

    def forward(self, features_BCHW: Tensor) -> Tensor:
        """Return the means of all channels, then their maxima."""
        return torch.cat([features_BCHW.mean((2, 3)), features_BCHW.amax((2, 3))], dim=1)


def _with_presence(page_BF: Tensor) -> Tensor:
    """Replace NaN by zero and append, for each feature, whether it was known."""
    is_known_BF = ~torch.isnan(page_BF)
    known_BF = torch.where(is_known_BF, page_BF, torch.zeros_like(page_BF))
    return torch.cat([known_BF, is_known_BF.to(page_BF.dtype)], dim=1)


def convolve(
    inputs: int, outputs: int, *, size_px: int = 3, stride: int = 1, activated: bool = True
) -> nn.Module:
    """Return a convolution, its batch norm, and a rectifier.

    Height and width are divided by the stride, and rounded up.
    """
    convolution = nn.Conv2d(inputs, outputs, size_px, stride, padding=size_px // 2, bias=False)
    rectifier = [nn.ReLU(inplace=True)] if activated else []
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), *rectifier)


class GlyphCnn(TwoHeadedNetwork):
    """Three stages of two 3 x 3 convolutions; average and maximum pooling; two heads."""

    def __init__(
        self, label_count: int, page_features: int = 4, width: int = 24, dropout: float = 0.2
    ) -> None:
        backbone = nn.Sequential(
            _convolve_twice(1, width),
            nn.MaxPool2d(2),
            _convolve_twice(width, 2 * width),
            nn.MaxPool2d(2),
            _convolve_twice(2 * width, 4 * width),
            MeanMaxPool(),
        )
        super().__init__(backbone, 8 * width, 6 * width, label_count, page_features, dropout)


def _convolve_twice(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        convolve(inputs, outputs),
        convolve(outputs, outputs),
    )


class GlyphResNet(TwoHeadedNetwork):
    """A cheap 5 x 5 stem at full size, then one residual block at 14 x 14 and one at 7 x 7.

    Most of the arithmetic of `GlyphCnn` is spent at 28 x 28, on few channels; here it is spent
    where the channels are.
    """

    def __init__(
        self, label_count: int, page_features: int = 4, width: int = 24, dropout: float = 0.2
    ) -> None:
        backbone = nn.Sequential(
            convolve(1, width // 2, size_px=5),
            nn.MaxPool2d(2),
            convolve(width // 2, 2 * width),
            _ResidualBlock(2 * width),
            nn.MaxPool2d(2),
            convolve(2 * width, 4 * width),
            _ResidualBlock(4 * width),
            MeanMaxPool(),
        )
        super().__init__(backbone, 8 * width, 6 * width, label_count, page_features, dropout)


class _ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut (He et al. 2016, section 3)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            convolve(channels, channels),
            convolve(channels, channels, activated=False),
        )
        self.activation = nn.ReLU()

    def forward(self, features_BCHW: Tensor) -> Tensor:
        """Return features of the same shape, at least 0."""
        activated: Tensor = self.activation(features_BCHW + self.residual(features_BCHW))
        return activated


class GlyphLean(TwoHeadedNetwork):
    """Three convolutions that halve height and width, one residual block at 4 x 4, and no pooling.

    At width 32 one image takes 4.8 million multiplications, where `GlyphResNet` at 24 takes 19.6:
    0.16 in the stem (to 14 x 14), 0.90 (to 7 x 7), 0.88 (to 4 x 4), 2.65 in the block, 0.21 in the
    linear layers. The neck reads every place of the last map: what `MeanMaxPool` forgets, where a
    feature lies, is worth more accuracy than three times the multiplications. Vector units of
    processors take 16 channels at once: multiples of that waste nothing.
    """

    def __init__(
        self, label_count: int, page_features: int = 4, width: int = 32, dropout: float = 0.2
    ) -> None:
        backbone = nn.Sequential(
            convolve(1, width, size_px=5, stride=2),
            convolve(width, 2 * width, stride=2),
            convolve(2 * width, 3 * width, stride=2),
            _ResidualBlock(3 * width),
            nn.Flatten(),
        )
        features = 3 * width * 4 * 4
        super().__init__(backbone, features, 4 * width, label_count, page_features, dropout)


class LeNet(TwoHeadedNetwork):
    """LeNet-5; the neck, of 84 at width 6, stands for F6, linear heads for the radial ones."""

    def __init__(
        self, label_count: int, page_features: int = 4, width: int = 6, dropout: float = 0.2
    ) -> None:
        backbone, features = lenet_backbone(width)
        super().__init__(backbone, features, 14 * width, label_count, page_features, dropout)


class Mlp(TwoHeadedNetwork):
    """What pixels tell without knowing which are neighbours."""

    def __init__(
        self, label_count: int, page_features: int = 4, width: int = 100, dropout: float = 0.2
    ) -> None:
        backbone, features = mlp_backbone(width)
        super().__init__(backbone, features, width, label_count, page_features, dropout)


class PeerCnn(TwoHeadedNetwork):
    """The network of the closest published system (nazavr322/ukr-handwriting-classification).

    Two convolutions, each pooled, rectified and then normalised, and a wide linear layer. The
    peer's own has 834,476 weights for 43 labels and the case. Here the page adds 8,480, and the
    neck, its layer of 256, normalises before it rectifies.
    """

    def __init__(
        self, label_count: int, page_features: int = 4, width: int = 32, dropout: float = 0.0
    ) -> None:
        backbone = nn.Sequential(
            _RepeatGrey(),
            *_peer_stage(3, width),
            *_peer_stage(width, 2 * width),
            nn.Flatten(),
        )
        features = 2 * width * 7 * 7
        super().__init__(backbone, features, 8 * width, label_count, page_features, dropout)


class _RepeatGrey(nn.Module):
    """The three equal channels that the peer makes of a grey image."""

    def forward(self, images_B1HW: Tensor) -> Tensor:
        return images_B1HW.expand(-1, 3, -1, -1)


def _peer_stage(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(inputs, outputs, kernel_size=3, padding=1)
    return convolution, nn.MaxPool2d(2), nn.ReLU(), nn.BatchNorm2d(outputs)


NETWORKS: Final[Mapping[str, Callable[..., TwoHeadedNetwork]]] = MappingProxyType(
    {
        "glyph_cnn": GlyphCnn,
        "glyph_lean": GlyphLean,
        "glyph_resnet": GlyphResNet,
        "lenet": LeNet,
        "mlp": Mlp,
        "peer_cnn": PeerCnn,
    }
)
"""By name; each takes the number of labels and the sizes."""


def build_network(name: str, label_count: int, **sizes: Any) -> TwoHeadedNetwork:
    """Return a new network with random weights.

    Raises:
        ParameterError: If no network has this name.
    """
    if name not in NETWORKS:
        raise ParameterError(f"Expected a network, one of {sorted(NETWORKS)}, got {name!r}.")
    return NETWORKS[name](label_count, **sizes)
