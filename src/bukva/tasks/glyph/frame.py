"""What a network sees of a symbol: its frame, and its size and place on the page beside it.

The frame is that of MNIST (LeCun et al. 1998, section III.A): the symbol keeps its aspect ratio,
its longest side becomes 20 px, and its centre of mass comes to the middle of 28 x 28 px. The size
and place on the page, which that frame throws away, are kept as four numbers beside it: they are
the only sign of case in о/О, с/С, х/Х.

Shapes: H x W pixels of an image or a frame, h x w of a symbol, F page features.
"""

from dataclasses import asdict, dataclass
from typing import Final, NamedTuple

import cv2
import numpy as np

from bukva.core.arrays import Float32Array, UInt8Array

PAGE_FEATURES: Final = ("rel_height", "rel_width", "rel_center_x", "rel_center_y")


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """Constants of the preprocessing; they travel with every trained model.

    Attributes:
        frame_px: Side of the square that the network sees.
        symbol_px: Longest side of the symbol inside it.
        ink_threshold: Ink (0..1, darkest = 1) from which a pixel belongs to the symbol.
        speck_share: A connected piece with less than this share of the ink is a speck.
        bar_width_share: A bar across the whole page is a scan's edge if it is not thicker than
            this share of the page's side.
        min_contrast: Least difference between ink and ground (0..255) that counts as ink.
        page_margin: An ink box taking more than this share of both sides is a crop, not a page.
        reads_paper: Whether photographs of paper are read, and colours seen. Models from before
            learnt from frames of `former_preprocessing`, and say nothing of it.
    """

    frame_px: int = 28
    symbol_px: int = 20
    ink_threshold: float = 0.15
    speck_share: float = 0.008
    bar_width_share: float = 0.08
    min_contrast: int = 24
    page_margin: float = 0.96
    reads_paper: bool = True

    def to_dict(self) -> dict[str, float]:
        """Return the constants as plain values."""
        return asdict(self)

    @classmethod
    def of_model(cls, values: dict[str, float]) -> "Preprocessing":
        """Return the constants that a model's specification holds, perhaps one from before."""
        return cls(**{"reads_paper": False} | values)  # type: ignore[arg-type]


class PageBox(NamedTuple):
    """A part of a page, in shares of the page's sides; it may reach beyond them."""

    left: float
    top: float
    width: float
    height: float


class Glyph(NamedTuple):
    """A symbol as the network sees it.

    Attributes:
        image_HW: Ink high on zero, uint8 `(frame_px, frame_px)`.
        page_F: float32 `(4,)`, `PAGE_FEATURES` as shares of the page's longer side; NaN where
            the page is not known.
        frame_box: Where the frame lies on the image that it was cut from; None where that was not
            kept.
    """

    image_HW: UInt8Array
    page_F: Float32Array
    frame_box: PageBox | None = None


class Box(NamedTuple):
    """Rows and columns of an image, in pixels."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        """How many rows."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """How many columns."""
        return self.right - self.left

    @property
    def pixels(self) -> tuple[slice, slice]:
        """What cuts it out of an image."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


def unknown_page() -> Float32Array:
    """Return the features of a page that is not known: NaN."""
    return np.full(len(PAGE_FEATURES), np.nan, dtype=np.float32)


def page_features(box: Box, page: Box, constants: Preprocessing) -> Float32Array:
    """Return size and place of a box on its page; NaN where it fills the page as a crop does."""
    margin = constants.page_margin
    if box.height > margin * page.height and box.width > margin * page.width:
        return unknown_page()
    center_x, center_y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    side = max(page.height, page.width)
    return np.array([box.height, box.width, center_x, center_y], dtype=np.float32) / np.float32(
        side
    )


class PlacedSymbol(NamedTuple):
    """A frame, and how it lies on the symbol that was put into it.

    Attributes:
        image_HW: uint8 `(frame_px, frame_px)`.
        left: Where the frame begins on the symbol's box, in its pixels: negative, left of it.
        top: The same, downwards.
        across: Pixels of the box for one of the frame.
        down: The same, downwards.
    """

    image_HW: UInt8Array
    left: float
    top: float
    across: float
    down: float


def place_in_frame(ink_hw: Float32Array | UInt8Array, constants: Preprocessing) -> PlacedSymbol:
    """Scale ink and put its centre of mass into the middle of a frame.

    Args:
        ink_hw: Ink of a symbol, cut to its box; 0 is none.
        constants: Sizes of the frame and of the symbol in it.
    """
    box_height, box_width = ink_hw.shape
    scale = constants.symbol_px / max(box_height, box_width)
    height, width = max(1, round(box_height * scale)), max(1, round(box_width * scale))
    how = cv2.INTER_AREA if scale <= 1 else cv2.INTER_CUBIC
    resized_hw = cv2.resize(ink_hw, (width, height), interpolation=how)
    # A cubic overshoots: below nothing, above all.
    _, resized_hw = cv2.threshold(resized_hw, 0, 0, cv2.THRESH_TOZERO)
    _, highest, _, _ = cv2.minMaxLoc(resized_hw)
    # Not of floats: two columns of them are taken for points.
    symbol_hw = cv2.convertScaleAbs(resized_hw, alpha=255 / max(highest, 1e-6))
    moments = cv2.moments(symbol_hw)
    top = _start(moments["m01"] / moments["m00"], height, constants.frame_px)
    left = _start(moments["m10"] / moments["m00"], width, constants.frame_px)
    frame_HW = np.zeros((constants.frame_px, constants.frame_px), dtype=np.uint8)
    frame_HW[top : top + height, left : left + width] = symbol_hw
    across, down = box_width / width, box_height / height
    return PlacedSymbol(frame_HW, -left * across, -top * down, across, down)


def _start(centre_px: float, size_px: int, frame_px: int) -> int:
    """Return where ink starts so that its centre of mass is the frame's middle."""
    return min(max(round(frame_px / 2 - centre_px), 0), frame_px - size_px)
