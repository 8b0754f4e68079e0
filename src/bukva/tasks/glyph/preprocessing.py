"""The one way from pixels to what a network sees; training and serving both call it.

A drawing, clean ink on one tone, takes the short way of `drawing`. All else is a photograph or a
scan, and goes through `bukva.core.imaging.paper`.

Shapes: H x W pixels, h x w pixels of a symbol.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from bukva.core.arrays import UInt8Array
from bukva.core.imaging.decoding import to_grey
from bukva.core.imaging.paper import SymbolInk, read_symbol
from bukva.errors import ImageError
from bukva.tasks.glyph.drawing import Drawing, find_drawing
from bukva.tasks.glyph.former_preprocessing import preprocess_as_before
from bukva.tasks.glyph.frame import (
    PAGE_FEATURES,
    Box,
    Glyph,
    PageBox,
    PlacedSymbol,
    Preprocessing,
    page_features,
    place_in_frame,
    unknown_page,
)

__all__ = ["PAGE_FEATURES", "Glyph", "PageBox", "Preprocessing", "preprocess", "preprocess_all"]

_DRAWN_SIDE: Final = 0.15
"""Of its page. What is smaller, and not said to be drawn, may be a letter on a scan of a sheet."""


_USUAL: Final = Preprocessing()


def preprocess(
    pixels: UInt8Array,
    *,
    has_page: bool | None = True,
    constants: Preprocessing = _USUAL,
) -> Glyph:
    """Turn pixels of any size and polarity into a framed symbol and its place on the page.

    Args:
        pixels: uint8, grey `(H, W)` or RGB `(H, W, 3)`.
        has_page: Whether the image is a page, so that size and place mean something. None where
            that is to be found out: of a drawing they do, of a photograph they do not.
        constants: Sizes and thresholds.

    Returns:
        The framed symbol and its page features.

    Raises:
        EmptyImageError: If nothing stands out from the ground.
        TooDarkError: If nothing does, and the picture is too dark for it.
        SeveralSymbolsError: If several symbols stand beside each other on a photograph.
    """
    if not constants.reads_paper:
        [glyph] = preprocess_as_before([to_grey(pixels)], has_page is not False, constants)
        if isinstance(glyph, ImageError):
            raise glyph
        return glyph
    drawing = find_drawing(pixels, constants) if pixels.ndim == 2 else None
    if drawing is not None:
        return _frame_drawing(drawing, has_page, constants)
    return _frame_photo(read_symbol(pixels), pixels.shape[:2], has_page is True, constants)


def preprocess_all(
    images: Sequence[UInt8Array],
    *,
    has_page: bool | None = True,
    constants: Preprocessing = _USUAL,
) -> Sequence[Glyph | ImageError]:
    """Do the same for many images.

    Returns:
        For each image, in order, what `preprocess` returns or raises.
    """
    if not constants.reads_paper:
        greys = [to_grey(pixels) for pixels in images]
        return preprocess_as_before(greys, has_page is not False, constants)
    return [_try(pixels, has_page, constants) for pixels in images]


def _try(pixels: UInt8Array, has_page: bool | None, constants: Preprocessing) -> Glyph | ImageError:
    try:
        return preprocess(pixels, has_page=has_page, constants=constants)
    except ImageError as error:
        return error


def _frame_drawing(drawing: Drawing, has_page: bool | None, constants: Preprocessing) -> Glyph:
    box, page = drawing.box, drawing.page
    placed = place_in_frame(drawing.ink_hw, constants)
    if has_page is None:
        has_page = max(box.height, box.width) >= _DRAWN_SIDE * max(page.height, page.width)
    page_F = page_features(box, page, constants) if has_page else unknown_page()
    frame_box = PageBox(
        left=(box.left + placed.left) / page.width,
        top=(box.top + placed.top) / page.height,
        width=constants.frame_px * placed.across / page.width,
        height=constants.frame_px * placed.down / page.height,
    )
    return Glyph(placed.image_HW, page_F, frame_box)


def _frame_photo(
    symbol: SymbolInk, shape: tuple[int, int], has_page: bool, constants: Preprocessing
) -> Glyph:
    placed = place_in_frame(symbol.ink_hw, constants)
    page_F = unknown_page()
    if has_page:
        height, width = symbol.ink_hw.shape
        left, top, right, bottom = _map_box(symbol, 0, 0, width, height)
        box = Box(*(int(side) for side in (top, left, np.ceil(bottom), np.ceil(right))))
        page_F = page_features(box, Box(0, 0, *shape), constants)
    return Glyph(placed.image_HW, page_F, _box_on(symbol, placed, shape, constants))


def _box_on(
    symbol: SymbolInk, placed: PlacedSymbol, shape: tuple[int, int], constants: Preprocessing
) -> PageBox:
    """Return where a frame lies on its picture; of one that is turned, about where."""
    right = placed.left + constants.frame_px * placed.across
    bottom = placed.top + constants.frame_px * placed.down
    left, top, right, bottom = _map_box(symbol, placed.left, placed.top, right, bottom)
    height, width = shape
    return PageBox(left / width, top / height, (right - left) / width, (bottom - top) / height)


def _map_box(
    symbol: SymbolInk, left: float, top: float, right: float, bottom: float
) -> tuple[float, float, float, float]:
    """Return a box in a symbol's pixels as one on the picture, its sides level."""
    matrix = symbol.to_picture
    x, y = matrix @ [(left + right) / 2, (top + bottom) / 2, 1]
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    across, down = (right - left) * scale / 2, (bottom - top) * scale / 2
    return x - across, y - down, x + across, y + down
