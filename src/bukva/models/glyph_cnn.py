"""The project's first network for one symbol: small, convolutional, with two heads."""

from torch import nn

from bukva.models.two_heads import MeanMaxPool, TwoHeadedNetwork
from bukva.models.vision import Conv2dNormActivation


class GlyphCnn(TwoHeadedNetwork):
    """Three stages of two 3 x 3 convolutions; average and maximum pooling; two heads."""

    def __init__(
        self, label_count: int, page_features: int = 4, width: int = 24, dropout: float = 0.2
    ) -> None:
        backbone = nn.Sequential(
            _stage(1, width),
            nn.MaxPool2d(2),
            _stage(width, 2 * width),
            nn.MaxPool2d(2),
            _stage(2 * width, 4 * width),
            MeanMaxPool(),
        )
        super().__init__(backbone, 8 * width, 6 * width, label_count, page_features, dropout)


def _stage(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        Conv2dNormActivation(inputs, outputs, kernel_size=3),
        Conv2dNormActivation(outputs, outputs, kernel_size=3),
    )
