"""Whether an image is a drawing, clean ink on a ground of one tone, and its ink.

Shapes: H x W pixels of an image, h x w of its ink's box, P connected pieces of ink.
"""

from typing import Any, Final, NamedTuple

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from bukva.core.arrays import UInt8Array
from bukva.tasks.glyph.frame import Box, Preprocessing

_WORKING_SIDE_PX: Final = 256
_EVEN_LEVELS: Final = 14
"""How far the tones of a drawing's ground may be apart."""
_CLEAR_LEVELS: Final = 96
"""By how much its ink differs from the ground at least."""
_SURE_INK: Final = 0.6
_SURE_SHARE: Final = 0.35
_SURE_PX: Final = 8
_RIM: Final = 0.08
_FAR_SHARE: Final = 0.3
"""Of ink that is farther from sure ink than a rim is wide: shade, or a rule."""
_SHEET_FILL, _SHEET_SHARE, _SHEET_ASPECT = 0.6, 0.15, 0.2
_SHEET_BREADTH, _SHEET_SHAPE, _SHEET_LIGHT = 0.4, 0.82, 0.85
_SHADE_SHARE: Final = 0.05
_CROP_SHARE: Final = 0.9
_LINE_SHARE: Final = 0.95
_EDGE_SHARE: Final = 0.02
_ARRAY_PX: Final = 32
"""Images of two tones that are no larger are a data set's, and no photographs."""


class Drawing(NamedTuple):
    """Ink on a ground of one tone.

    Attributes:
        ink_hw: uint8, ink high on zero, within its box.
        box: Where it lies.
        page: All of the image, perhaps reduced.
    """

    ink_hw: UInt8Array
    box: Box
    page: Box


def find_drawing(grey_HW: UInt8Array, constants: Preprocessing) -> Drawing | None:
    """Return the ink of a drawing, None where the image is none: its tones are not two."""
    grey_HW = _shrink(grey_HW)
    border = np.concatenate([grey_HW[0], grey_HW[-1], grey_HW[:, 0], grey_HW[:, -1]])
    lowest, highest, _, _ = cv2.minMaxLoc(border)
    low, high, _, _ = cv2.minMaxLoc(grey_HW)
    is_even = highest - lowest <= _EVEN_LEVELS
    if not is_even:
        # Ink goes up to the edge.
        ground = _most_usual(grey_HW)
        lowest, highest = ground - _EVEN_LEVELS / 2, ground + _EVEN_LEVELS / 2
    darker, lighter = lowest - low, high - highest
    contrast = max(darker, lighter)
    # What differs from the ground to the other side is shine, dust or a photograph's noise.
    if contrast < _CLEAR_LEVELS or min(darker, lighter) > _EVEN_LEVELS:
        return None
    is_dark = darker > lighter
    # Below 0 it is 0. Of numbers in place of an array its type hints do not know.
    between: tuple[Any, Any] = (lowest, grey_HW) if is_dark else (grey_HW, highest)
    ink_HW: UInt8Array = np.asarray(
        cv2.convertScaleAbs(cv2.subtract(*between), alpha=255 / contrast)
    )
    drawing = _cut_drawing(ink_HW, constants)
    if drawing is None or (not is_dark and _is_sheet(drawing)):
        return None
    return drawing if is_even or _is_whole(drawing, ink_HW, constants) else None


def _shrink(grey_HW: UInt8Array) -> UInt8Array:
    """Average large images down: 256 px hold more than a 20 px symbol needs."""
    height, width = grey_HW.shape
    factor = -(-max(height, width) // _WORKING_SIDE_PX)
    if factor <= 1:
        return grey_HW
    size = (max(1, width // factor), max(1, height // factor))
    return np.asarray(cv2.resize(grey_HW, size, interpolation=cv2.INTER_AREA))


def _most_usual(grey_HW: UInt8Array) -> float:
    """Return the tone about which most of an image is: of a bold letter, the median is a rim's."""
    counts_1V = cv2.calcHist([grey_HW], [0], None, [256], [0, 256]).reshape(1, -1)
    return float(
        cv2.blur(counts_1V, (_EVEN_LEVELS + 1, 1), borderType=cv2.BORDER_CONSTANT).argmax()
    )


def _cut_drawing(ink_HW: UInt8Array, constants: Preprocessing) -> Drawing | None:
    """Return ink cut to its box, without specks and bars; None where little of it is sure."""
    threshold = 255 * constants.ink_threshold
    _, is_ink_HW = cv2.threshold(ink_HW, threshold, 1, cv2.THRESH_BINARY)
    box, page = _box_of(is_ink_HW), Box(0, 0, *ink_HW.shape)
    ink_hw, is_ink_hw = ink_HW[box.pixels], is_ink_HW[box.pixels]
    if not _is_small(page) and not _is_sure(ink_hw, is_ink_hw):
        return None
    # Most are of one piece, which is counted in half the time.
    count, _ = cv2.connectedComponents(is_ink_hw, connectivity=4)
    if count > 2:
        _, pieces_hw, stats_P5, _ = cv2.connectedComponentsWithStats(is_ink_hw, connectivity=4)
        is_foreign_P = _find_foreign(stats_P5, box, page, constants)
        if is_foreign_P.any():
            is_foreign_hw = is_foreign_P[pieces_hw].astype(np.uint8)
            is_rim_hw = cv2.dilate(is_foreign_hw, np.ones((5, 5), np.uint8)) & (pieces_hw == 0)
            ink_hw = np.where(is_foreign_hw | is_rim_hw, 0, ink_hw).astype(np.uint8)
            inner = _box_of(np.where(is_foreign_hw, 0, is_ink_hw).astype(np.uint8))
            ink_hw, box = ink_hw[inner.pixels], _within(inner, box)
    return Drawing(ink_hw, box, page)


def _is_small(page: Box) -> bool:
    """Return whether strokes are so thin that few of their pixels are full."""
    return max(page.height, page.width) <= _ARRAY_PX


def _box_of(is_ink_HW: MatLike) -> Box:
    left, top, width, height = cv2.boundingRect(is_ink_HW)
    return Box(top, left, top + height, left + width)


def _within(inner: Box, box: Box) -> Box:
    """Return a box that lies in another, as one on that other's page."""
    (top, left, bottom, right), down, across = inner, box.top, box.left
    return Box(top + down, left + across, bottom + down, right + across)


def _is_sure(ink_hw: UInt8Array, is_ink_hw: MatLike) -> bool:
    """Return whether most ink is full, or the soft rim of a thin stroke that is."""
    _, is_sure_hw = cv2.threshold(ink_hw, 255 * _SURE_INK, 1, cv2.THRESH_BINARY)
    sure_px, ink_px = cv2.countNonZero(is_sure_hw), cv2.countNonZero(is_ink_hw)
    if sure_px < _SURE_PX or sure_px >= _SURE_SHARE * ink_px:
        return sure_px >= _SURE_PX
    near_hw = cv2.dilate(is_sure_hw, _around(ink_hw))
    return cv2.countNonZero(cv2.subtract(is_ink_hw, near_hw)) <= _FAR_SHARE * ink_px


def _around(ink_hw: UInt8Array) -> UInt8Array:
    """Return the neighbourhood of a pixel of ink in which its soft rim lies."""
    reach = 2 * round(_RIM * max(ink_hw.shape)) + 1
    return np.ones((reach, reach), np.uint8)


def _find_foreign(
    stats_P5: MatLike, box: Box, page: Box, constants: Preprocessing
) -> NDArray[np.bool_]:
    """Return `(P,)`, for each piece whether it is a speck, or the edge of a scan.

    A symbol of many dots (a stamp, a dot matrix) has none that is not small: all are kept.
    """
    left, top, wide, high, area_P = stats_P5.T
    rows_P2 = np.stack([top, top + high], axis=1) + box.top
    columns_P2 = np.stack([left, left + wide], axis=1) + box.left
    is_bar_P = np.zeros(len(area_P), dtype=bool)
    if box.height >= (1 - 2 * _EDGE_SHARE) * page.height:
        is_bar_P[1:] |= _find_bars(rows_P2[1:], page.height, wide[1:], page.width, constants)
    if box.width >= (1 - 2 * _EDGE_SHARE) * page.width:
        is_bar_P[1:] |= _find_bars(columns_P2[1:], page.width, high[1:], page.height, constants)
    is_bar_P[0] = True
    is_foreign_P = is_bar_P | (area_P < constants.speck_share * area_P[~is_bar_P].sum())
    is_foreign_P[0] = False
    if is_foreign_P[1:].all():
        is_foreign_P[:] = False
    return np.asarray(is_foreign_P)


def _find_bars(
    ends_P2: NDArray[np.int32],
    side: int,
    thick_P: NDArray[np.int32],
    other_side: int,
    constants: Preprocessing,
) -> NDArray[np.bool_]:
    """Return for each piece whether it is a thin bar from edge to edge of a page.

    The stem of a К cut out without a margin is one too, so nothing is a bar unless all other
    pieces keep away from the edges that it touches.
    """
    edge_px = int(_EDGE_SHARE * side)
    gaps_P2 = np.abs(ends_P2 - (0, side))
    spans_P = gaps_P2.max(axis=1) <= edge_px
    if not edge_px or (gaps_P2[~spans_P] <= 2 * edge_px).any():
        return np.zeros(len(ends_P2), dtype=bool)
    return np.asarray(spans_P & (thick_P <= constants.bar_width_share * other_side))


def _is_sheet(drawing: Drawing) -> bool:
    """Return whether light ink on a dark ground is a sheet of paper on a desk."""
    box, page = drawing.box, drawing.page
    if min(box.height, box.width) < _SHEET_ASPECT * max(box.height, box.width):
        return False
    _, is_light_hw = cv2.threshold(drawing.ink_hw, 255 * _SURE_INK, 1, cv2.THRESH_BINARY)
    light_px = cv2.countNonZero(is_light_hw)
    if light_px <= max(
        _SHEET_FILL * box.height * box.width, _SHEET_SHARE * page.height * page.width
    ):
        return False
    # A bold stroke fills its box, too: but no broad rectangle, or one with large holes.
    outlines, _ = cv2.findContours(is_light_hw, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    outline = max(outlines, key=cv2.contourArea)
    _, sides, _ = cv2.minAreaRect(outline)
    short, long = sorted(side + 1 for side in sides)
    filled_hw = cv2.drawContours(np.zeros_like(is_light_hw), [outline], -1, 1, cv2.FILLED)
    filled_px = cv2.countNonZero(filled_hw)
    return (
        short >= _SHEET_BREADTH * long
        and filled_px >= _SHEET_SHAPE * short * long
        and light_px >= _SHEET_LIGHT * filled_px
    )


def _is_whole(drawing: Drawing, ink_HW: UInt8Array, constants: Preprocessing) -> bool:
    """Return whether ink that goes up to the edge of the image is all the symbol's own.

    It is in a crop, and of a piece that alone touches the edge. Else there may be rules, a
    neighbour, or the shade of a photograph.
    """
    if _count_shade(ink_HW, constants) > _SHADE_SHARE * ink_HW.size:
        return False
    box, page = drawing.box, drawing.page
    if min(box.height / page.height, box.width / page.width) > _CROP_SHARE:
        return _count_lines(ink_HW) <= 1
    spans = box.height == page.height or box.width == page.width
    if spans and not (_is_small(page) and _count_lines(ink_HW) == 0):
        # Rules; but of a bar alone, which has nothing beside it, it is the symbol.
        thickest = constants.bar_width_share * max(page.height, page.width)
        return min(box.height, box.width) <= thickest
    return _touches_once(drawing)


def _count_shade(ink_HW: UInt8Array, constants: Preprocessing) -> int:
    """Return how many pixels are neither ground nor ink, nor the soft rim of ink."""
    threshold = int(255 * constants.ink_threshold)
    is_shade_HW = cv2.inRange(ink_HW, 1, threshold)
    _, is_ink_HW = cv2.threshold(ink_HW, threshold, 255, cv2.THRESH_BINARY)
    near_HW = cv2.dilate(is_ink_HW, _around(ink_HW))
    return cv2.countNonZero(cv2.subtract(is_shade_HW, near_HW))


def _count_lines(ink_HW: UInt8Array) -> int:
    """Return how many straight lines go all across an image, other than along its edges."""
    is_ink_HW = ink_HW > 255 * _SURE_INK
    count = 0
    for axis in (0, 1):
        is_line = is_ink_HW.mean(axis=axis) >= _LINE_SHARE
        begins = np.flatnonzero(is_line[1:] & ~is_line[:-1]) + 1
        ends = np.flatnonzero(is_line[:-1] & ~is_line[1:])
        count += min(len(begins), len(ends))
    return count


def _touches_once(drawing: Drawing) -> bool:
    """Return whether the largest piece alone touches the edge, if any does."""
    box, page = drawing.box, drawing.page
    is_ink_hw = (drawing.ink_hw > 0).view(np.uint8)
    _, _, stats_P5, _ = cv2.connectedComponentsWithStats(is_ink_hw, connectivity=8)
    left, top, wide, high, area_P = stats_P5.T
    touches_P = (box.top + top <= 0) | (box.left + left <= 0)
    touches_P |= (box.top + top + high >= page.height) | (box.left + left + wide >= page.width)
    touches_P[[0, 1 + int(area_P[1:].argmax())]] = False
    return not touches_P.any()
