"""Framed symbols drawn large on a page, as a person's finger or mouse leaves them.

Shapes: H x W pixels.
"""

import io
from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import ndimage

from bukva.core.arrays import Float32Array, UInt8Array

_INK_FROM = 32  # of 255: fainter pixels do not count for the symbol's size


class PageStyle(NamedTuple):
    """How a symbol is drawn on its page.

    Attributes:
        page_px: Side of the page.
        ink_px: Longest side of the symbol.
        pen: Share of full ink from which a point belongs to the line: lower is thicker.
        softness: Width of the line's edge, as a share of full ink.
        grey: Level of the ink, 0..255.
        left: Place of the symbol in what the page leaves it, 0..1.
        top: The same, downwards.
    """

    page_px: int
    ink_px: float
    pen: float
    softness: float
    grey: float
    left: float
    top: float


def draw_style(
    rng: np.random.Generator,
    page_px: tuple[int, int] = (200, 400),
    ink_px: tuple[int, int] = (120, 260),
) -> PageStyle:
    """Return a random style; page and ink are within their ranges, the ink within the page."""
    side = int(rng.integers(*page_px, endpoint=True))
    return PageStyle(
        page_px=side,
        ink_px=min(rng.uniform(*ink_px), 0.9 * side),
        pen=rng.uniform(0.35, 0.55),
        softness=rng.uniform(0.03, 0.4),
        grey=rng.uniform(0, 60),
        left=rng.uniform(),
        top=rng.uniform(),
    )


def enlarge(image_HW: UInt8Array, style: PageStyle) -> UInt8Array:
    """Return a page, dark on white, with a framed symbol drawn large on it.

    The pixels are blown up smoothly, so that none of the small image's stairs are left, and cut at
    one level, which makes a line of ink with an edge of its own.

    Args:
        image_HW: uint8, ink high on zero; must hold some ink.
        style: How it is drawn.

    Returns:
        uint8 `(page_px, page_px)`.
    """
    smooth_HW = _blow_up(_crop(image_HW), style.ink_px)
    ink_HW = np.clip((smooth_HW - style.pen) / style.softness + 0.5, 0, 1)
    page_HW = np.zeros((style.page_px, style.page_px), dtype=np.float32)
    height, width = (min(side, style.page_px) for side in ink_HW.shape)
    top, left = int(style.top * (style.page_px - height)), int(style.left * (style.page_px - width))
    page_HW[top : top + height, left : left + width] = ink_HW[:height, :width]
    dark_HW: UInt8Array = np.rint(255 - (255 - style.grey) * page_HW).astype(np.uint8)
    return dark_HW


def _crop(image_HW: UInt8Array) -> UInt8Array:
    """Return the symbol with a rim of one pixel, on which its edge can fade."""
    rows, columns = np.nonzero(image_HW >= _INK_FROM)
    box = image_HW[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    return np.pad(box, 1)


def _blow_up(image_HW: UInt8Array, longest_px: float) -> Float32Array:
    """Return ink 0..1 with the longest side as asked, smoothed over the small image's pixels."""
    scale = longest_px / (max(image_HW.shape) - 2)
    height, width = (round(side * scale) for side in image_HW.shape)
    large = Image.fromarray(image_HW).resize((width, height), Image.Resampling.BICUBIC)
    smooth_HW = ndimage.gaussian_filter(np.asarray(large, dtype=np.float32), 0.4 * scale)
    scaled_HW: Float32Array = smooth_HW / smooth_HW.max()
    return scaled_HW


def encode_page(page_HW: UInt8Array) -> bytes:
    """Return a page as a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(page_HW).save(buffer, "PNG")
    return buffer.getvalue()
