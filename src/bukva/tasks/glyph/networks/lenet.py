"""LeNet-5 (LeCun, Bottou, Bengio and Haffner 1998, section II.B), with two heads."""

from torch import nn

from bukva.tasks.glyph.networks.networks import TwoHeadedNetwork


class LeNet(TwoHeadedNetwork):
    """Layers C1 to C5 as published, at width 6; the neck, of 84, stands for F6.

    Three things are not of 1998: C3 sees all maps of S2, the subsampling has no weights of its
    own, and linear heads take the place of the radial basis functions.
    """

    def __init__(
        self, label_count: int, page_features: int = 4, width: int = 6, dropout: float = 0.2
    ) -> None:
        backbone = nn.Sequential(
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
        super().__init__(backbone, 20 * width, 14 * width, label_count, page_features, dropout)
