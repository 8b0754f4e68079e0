"""The project's network with residual blocks: as accurate as more stages, for less time.

Shapes: B images in a batch, C channels, H x W pixels.
"""

from torch import Tensor, nn

from bukva.models.two_heads import MeanMaxPool, TwoHeadedNetwork
from bukva.models.vision import Conv2dNormActivation


class GlyphResNet(TwoHeadedNetwork):
    """A cheap 5 x 5 stem at full size, then one residual block at 14 x 14 and one at 7 x 7.

    Most of the arithmetic of `GlyphCnn` is spent at 28 x 28, on few channels; here it is spent
    where the channels are.
    """

    def __init__(
        self, label_count: int, page_features: int = 4, width: int = 24, dropout: float = 0.2
    ) -> None:
        backbone = nn.Sequential(
            Conv2dNormActivation(1, width // 2, kernel_size=5),
            nn.MaxPool2d(2),
            Conv2dNormActivation(width // 2, 2 * width, kernel_size=3),
            _ResidualBlock(2 * width),
            nn.MaxPool2d(2),
            Conv2dNormActivation(2 * width, 4 * width, kernel_size=3),
            _ResidualBlock(4 * width),
            MeanMaxPool(),
        )
        super().__init__(backbone, 8 * width, 6 * width, label_count, page_features, dropout)


class _ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut (He et al. 2016, section 3)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            Conv2dNormActivation(channels, channels, kernel_size=3),
            Conv2dNormActivation(channels, channels, kernel_size=3, activation_layer=None),
        )
        self.activation = nn.ReLU()

    def forward(self, features_BCHW: Tensor) -> Tensor:
        """Return features of the same shape, at least 0."""
        activated: Tensor = self.activation(features_BCHW + self.residual(features_BCHW))
        return activated
