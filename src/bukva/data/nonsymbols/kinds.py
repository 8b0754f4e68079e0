"""Kinds of page that show no symbol, and how widely each is varied."""

from dataclasses import dataclass
from typing import Final

CORPUS: Final = "nonsymbols"
"""Their name in the sample table; the part of a sample's name before the first `-` is its kind."""

KINDS: Final = ("dot", "line", "scribble", "noise", "photo", "latin", "pair")

UPRIGHT: Final = "upright"
"""Bare strokes near the vertical. They may be meant as 1 or І: tested on, never taught."""


def kind_of(name: str) -> str:
    """Return the kind of a sample: `line-00012` gives `line`."""
    return name.partition("-")[0]


@dataclass(frozen=True, slots=True)
class Variation:
    """How widely pages differ. Tests differ more than what is trained on, and in other ways.

    Attributes:
        page_px: Side of the page.
        dot_px: Diameter of a dot.
        pen_px: Width of a line.
        reach: Length of a line, or side of a scribble, as a share of the page.
        lying_deg: Rise of a line to the right. 99.6 % of MNIST's 1s rise by more than 45 degrees;
            training stays clear of them by what augmentation may turn.
        gap: Between the two symbols of a pair, as a share of their height; they never touch.
        lift: How far one stands above the other, at most, likewise.
        has_more_forms: Whether scribbles, noise and pictures come in forms never trained on.
    """

    page_px: tuple[int, int]
    dot_px: tuple[float, float]
    pen_px: tuple[float, float]
    reach: tuple[float, float]
    lying_deg: tuple[float, float]
    gap: tuple[float, float]
    lift: float
    has_more_forms: bool


TRAINED: Final = Variation(
    page_px=(200, 280), dot_px=(4.0, 28.0), pen_px=(3.0, 14.0), reach=(0.25, 0.8),
    lying_deg=(-55.0, 35.0), gap=(0.1, 0.5), lift=0.15, has_more_forms=False,
)  # fmt: skip
TESTED: Final = Variation(
    page_px=(180, 320), dot_px=(3.0, 40.0), pen_px=(2.0, 18.0), reach=(0.15, 0.9),
    lying_deg=(-65.0, 45.0), gap=(0.06, 0.7), lift=0.25, has_more_forms=True,
)  # fmt: skip
