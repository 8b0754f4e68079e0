"""The one way from pixels to what a network sees; training and serving both call it.

A drawing, clean ink on one tone, takes a short way. All else is a photograph or a scan, and goes
through `bukva.core.imaging.paper`.

Shapes: H x W pixels, h x w pixels of a symbol.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import cv2
import numpy as np
from cv2.typing import MatLike

from bukva.core.arrays import UInt8Array
from bukva.core.imaging.decoding import to_grey
from bukva.core.imaging.paper import SymbolInk, read_symbol
from bukva.errors import ImageError
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

_WORKING_SIDE_PX: Final = 256
_EVEN_LEVELS: Final = 14
"""How far the tones of a drawing's ground may be apart."""
_GROUND_SHARE: Final = 0.6
"""Of its edge that is ground."""
_CLEAR_LEVELS: Final = 96
"""By how much its ink differs from the ground at least."""
_SURE_INK: Final = 0.6
_SURE_SHARE: Final = 0.35
_SURE_PX: Final = 8
_RIM: Final = 0.08
_FAR_SHARE: Final = 0.3
"""Of ink that is farther from sure ink than a rim is wide: shade, or a rule."""
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
    drawing = _find_drawing(pixels, constants) if pixels.ndim == 2 else None
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


class _Drawing(NamedTuple):
    """Ink on a ground of one tone.

    Attributes:
        ink_hw: uint8, ink high on zero, within its box.
        box: Where it lies.
        page: All of the image, perhaps reduced.
    """

    ink_hw: UInt8Array
    box: Box
    page: Box


def _find_drawing(grey_HW: UInt8Array, constants: Preprocessing) -> _Drawing | None:
    """Return the ink of a drawing, None where the image is none: its tones are not two."""
    grey_HW = _shrink(grey_HW)
    border = np.concatenate([grey_HW[0], grey_HW[-1], grey_HW[:, 0], grey_HW[:, -1]])
    lowest, highest, _, _ = cv2.minMaxLoc(border)
    low, high, _, _ = cv2.minMaxLoc(grey_HW)
    is_even = highest - lowest <= _EVEN_LEVELS
    if not is_even:
        # Ink that goes up to the edge is no ground.
        ground = float(np.median(border))
        near = border[np.abs(border - ground) <= _EVEN_LEVELS / 2]
        if len(near) < _GROUND_SHARE * len(border):
            return None
        lowest, highest = float(near.min()), float(near.max())
    darker, lighter = lowest - low, high - highest
    contrast = max(darker, lighter)
    # What differs from the ground to the other side is shine, dust or a photograph's noise.
    if contrast < _CLEAR_LEVELS or min(darker, lighter) > _EVEN_LEVELS:
        return None
    is_dark = darker > lighter
    # Below 0 it is 0. Of numbers in place of an array its type hints do not know.
    between: tuple[Any, Any] = (lowest, grey_HW) if is_dark else (grey_HW, highest)
    away_HW = cv2.subtract(*between)
    ink_HW: UInt8Array = np.asarray(cv2.convertScaleAbs(away_HW, alpha=255 / contrast))
    drawing = _cut_drawing(ink_HW, constants)
    return drawing if drawing is None or is_even or _is_alone(drawing) else None


def _is_alone(drawing: _Drawing) -> bool:
    """Return whether ink at an image's edge is the symbol's: neither rules nor a neighbour."""
    box, page = drawing.box, drawing.page
    if box.height == page.height or box.width == page.width:
        return False
    is_ink_hw = (drawing.ink_hw > 0).view(np.uint8)
    _, _, stats_P5, _ = cv2.connectedComponentsWithStats(is_ink_hw, connectivity=8)
    left, top, wide, high, area_P = stats_P5.T
    touches_P = (box.top + top <= 0) | (box.left + left <= 0)
    touches_P |= (box.top + top + high >= page.height) | (box.left + left + wide >= page.width)
    largest = 1 + int(area_P[1:].argmax())
    touches_P[[0, largest]] = False
    return not touches_P.any()


def _cut_drawing(ink_HW: UInt8Array, constants: Preprocessing) -> _Drawing | None:
    threshold = 255 * constants.ink_threshold
    is_ink_HW = np.asarray(cv2.threshold(ink_HW, threshold, 1, cv2.THRESH_BINARY)[1], np.uint8)
    box = _box_of(is_ink_HW)
    ink_hw, is_ink_hw = ink_HW[box.pixels], is_ink_HW[box.pixels]
    if not _is_sure(ink_hw, is_ink_hw):
        return None
    page = Box(0, 0, *ink_HW.shape)
    count, pieces_hw = cv2.connectedComponents(is_ink_hw, connectivity=4)
    if count > 2:
        area_P = np.bincount(pieces_hw.ravel())
        is_speck_P = area_P < constants.speck_share * area_P[1:].sum()
        # A symbol of many dots (a stamp, a dot matrix) has none that is not small: all are kept.
        if is_speck_P[1:].any() and not is_speck_P[1:].all():
            is_speck_P[0] = False
            is_speck_hw = is_speck_P[pieces_hw].astype(np.uint8)
            is_rim_hw = cv2.dilate(is_speck_hw, np.ones((5, 5), np.uint8)) & (pieces_hw == 0)
            ink_hw = np.where(is_speck_hw | is_rim_hw, 0, ink_hw).astype(np.uint8)
            inner = _box_of(np.where(is_speck_hw, 0, is_ink_hw).astype(np.uint8))
            ink_hw = ink_hw[inner.pixels]
            box = Box(
                box.top + inner.top, box.left + inner.left,
                box.top + inner.bottom, box.left + inner.right,
            )  # fmt: skip
    return _Drawing(ink_hw, box, page)


def _is_sure(ink_hw: UInt8Array, is_ink_hw: UInt8Array) -> bool:
    """Return whether most ink is full, or the soft rim of a thin stroke that is."""
    _, is_sure_hw = cv2.threshold(ink_hw, 255 * _SURE_INK, 1, cv2.THRESH_BINARY)
    sure_px, ink_px = cv2.countNonZero(is_sure_hw), cv2.countNonZero(is_ink_hw)
    if sure_px < _SURE_PX or sure_px >= _SURE_SHARE * ink_px:
        return sure_px >= _SURE_PX
    reach = 2 * round(_RIM * max(ink_hw.shape)) + 1
    near_hw = cv2.dilate(is_sure_hw, np.ones((reach, reach), np.uint8))
    return cv2.countNonZero(cv2.subtract(is_ink_hw, near_hw)) <= _FAR_SHARE * ink_px


def _box_of(is_ink_HW: MatLike) -> Box:
    left, top, width, height = cv2.boundingRect(is_ink_HW)
    return Box(top, left, top + height, left + width)


def _shrink(grey_HW: UInt8Array) -> UInt8Array:
    """Average large images down: 256 px hold more than a 20 px symbol needs."""
    height, width = grey_HW.shape
    factor = -(-max(height, width) // _WORKING_SIDE_PX)
    if factor <= 1:
        return grey_HW
    size = (max(1, width // factor), max(1, height // factor))
    return np.asarray(cv2.resize(grey_HW, size, interpolation=cv2.INTER_AREA))


def _frame_drawing(drawing: _Drawing, has_page: bool | None, constants: Preprocessing) -> Glyph:
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
        box = Box(round(top), round(left), round(bottom), round(right))
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
