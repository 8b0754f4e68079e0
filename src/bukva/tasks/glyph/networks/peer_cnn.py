"""The network of the closest published system (nazavr322/ukr-handwriting-classification).

Shapes: B images in a batch, H x W pixels.
"""

from torch import Tensor, nn

from bukva.tasks.glyph.networks.networks import TwoHeadedNetwork


class PeerCnn(TwoHeadedNetwork):
    """Two convolutions, each pooled, rectified and then normalised, and a wide linear layer.

    The peer's own has 834,476 weights for 43 labels and the case. Here the page adds 8,480, and
    the neck, its layer of 256, normalises before it rectifies.
    """

    def __init__(
        self, label_count: int, page_features: int = 4, width: int = 32, dropout: float = 0.0
    ) -> None:
        backbone = nn.Sequential(
            _RepeatGrey(),
            *_stage(3, width),
            *_stage(width, 2 * width),
            nn.Flatten(),
        )
        features = 2 * width * 7 * 7
        super().__init__(backbone, features, 8 * width, label_count, page_features, dropout)


class _RepeatGrey(nn.Module):
    """The three equal channels that the peer makes of a grey image."""

    def forward(self, images_B1HW: Tensor) -> Tensor:
        return images_B1HW.expand(-1, 3, -1, -1)


def _stage(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(inputs, outputs, kernel_size=3, padding=1)
    return convolution, nn.MaxPool2d(2), nn.ReLU(), nn.BatchNorm2d(outputs)
