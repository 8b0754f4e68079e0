"""A multilayer perceptron: what pixels tell without knowing which are neighbours."""

from torch import nn

from bukva.tasks.glyph.networks.networks import TwoHeadedNetwork

_PIXELS = 28 * 28


class Mlp(TwoHeadedNetwork):
    """784-300-100-K at width 100 (LeCun et al. 1998, section III.C), with two heads."""

    def __init__(
        self, label_count: int, page_features: int = 4, width: int = 100, dropout: float = 0.2
    ) -> None:
        backbone = nn.Sequential(nn.Flatten(), nn.Linear(_PIXELS, 3 * width), nn.ReLU())
        super().__init__(backbone, 3 * width, width, label_count, page_features, dropout)
