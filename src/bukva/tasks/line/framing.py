"""From a picture of one line to what the network takes: its ink, 48 pixels high.

The paper is taken off as for documents (`bukva.core.imaging.text_ink`), then rules, then ends of
other lines that reach in from the rim; what is left is levelled and scaled.

Shapes: H x W pixels of a picture, h x w of the ink in the frame.
"""

from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from bukva.core.arrays import BoolArray, Float32Array, UInt8Array
from bukva.core.imaging.decoding import to_grey
from bukva.core.imaging.text_ink import read_text_ink
from bukva.errors import ImageTooSmallError

HEIGHT: Final = 48
"""Rows that the network takes."""
STRIDE: Final = 4
"""Columns that the network sees as one step: widths are multiples of it."""
MOST_WIDTH: Final = 1536
MARGIN: Final = 0.06
"""Above and below the ink, as a share of the height."""
SIDE_PX: Final = 6
"""Empty columns at either end."""
LEAST_SIDE_PX: Final = 6

_READ_HEIGHT_PX, _READ_WIDTH_PX = 128, 2000
_FAINTEST: Final = 0.14
_IS_INK: Final = 0.4
_SPECK_PX: Final = 4
_LEAST_TEXT_PX, _LEAST_INK_PX = 6, 14
_SHARP_TEXT_PX: Final = 30
"""Text that is lower on a reduced picture is read again from the whole one."""
_RULE_HEIGHTS: Final = 2.2
"""Of the picture's height: no stroke of a letter lies level for so long."""
_IS_DARK, _UNBROKEN = 0.2, 0.85
_OVERWRITTEN: Final = 1.4
_UPRIGHT, _LEAST_UPRIGHT = 0.9, 3
"""Of the picture's height, and how many: one stroke from rim to rim may be a letter's."""
_RIM: Final = 0.22
"""Share of the height near the rim: what touches the rim and stays within is another line's."""
_QUIET: Final = 0.02
_GAP: Final = 0.12
_LEAST_SLOPED: Final = 3.0
_LEAST_SLOPE, _MOST_SLOPE = 0.008, 0.3
_STEEP: Final = 0.04
"""Slope from which the ends of a line itself reach the rim."""


class FramedLine(NamedTuple):
    """A line as the network takes it.

    Attributes:
        ink_hw: uint8 `(48, w)`, ink high on zero, w a multiple of 4; 0 where nothing is
            written.
        to_picture: `(2, 3)`, takes a place in the ink, in its pixels, to one on the picture.
        ink_width: Columns of `ink_hw` from its left to the end of the writing.
    """

    ink_hw: UInt8Array
    to_picture: NDArray[np.float64]
    ink_width: int

    @property
    def is_empty(self) -> bool:
        """Whether nothing is written."""
        return bool(self.ink_hw.shape[1] == 0)

    def to_quad(self, left: float, right: float) -> NDArray[np.float64]:
        """Return where the columns from `left` to `right` lie on the picture.

        Returns:
            Its corners `(4, 2)`, x and y in pixels, clockwise from the upper left one.
        """
        corners = [(left, 0, 1), (right, 0, 1), (right, HEIGHT, 1), (left, HEIGHT, 1)]
        return np.array(corners, dtype=np.float64) @ self.to_picture.T


def frame_line(pixels: UInt8Array) -> FramedLine:
    """Return the ink of a line in the frame, and how it lies on the picture.

    Args:
        pixels: uint8 `(H, W)` grey or `(H, W, 3)` RGB, of one line on any paper.

    Raises:
        ImageTooSmallError: If it is less than 6 pixels high or wide.
        TooDarkError: If nothing stands out, and it is too dark for it.
    """
    if min(pixels.shape[:2]) < LEAST_SIDE_PX:
        height, width = pixels.shape[:2]
        raise ImageTooSmallError(
            f"Expected a picture of a line at least {LEAST_SIDE_PX} pixels each way, got {width} x "
            f"{height}: too small for writing. Send it at a higher resolution."
        )
    grey_HW = to_grey(pixels)
    small_HW, scale = _reduce(grey_HW)
    ink_HW = clean(read_text_ink(small_HW, _FAINTEST))
    rows = find_rows(ink_HW)
    if rows is None:
        return _EMPTY
    if scale > 1 and rows.stop - rows.start < _SHARP_TEXT_PX:
        return _look_closer(grey_HW, rows, scale)
    return _frame_ink(ink_HW, np.array([[scale, 0, 0], [0, scale, 0]], dtype=np.float64))


def _reduce(grey_HW: UInt8Array) -> tuple[UInt8Array, float]:
    """Return a picture of a size that a line is read at, and how many pixels are one of its."""
    height, width = grey_HW.shape
    # A strip is a line: its height counts. Of another picture, nobody knows how high the line is.
    is_strip = width > 4 * height
    scale = max(1.0, width / _READ_WIDTH_PX, height / _READ_HEIGHT_PX if is_strip else 1.0)
    if scale == 1.0:
        return grey_HW, scale
    size = (max(1, round(width / scale)), max(1, round(height / scale)))
    return np.asarray(cv2.resize(grey_HW, size, interpolation=cv2.INTER_AREA)), scale


def _look_closer(grey_HW: UInt8Array, rows: slice, scale: float) -> FramedLine:
    """Return the line that was found on a reduced picture, read from the whole one."""
    reach = 0.6 * (rows.stop - rows.start)
    top = max(0, int((rows.start - reach) * scale))
    bottom = min(grey_HW.shape[0], int((rows.stop + reach) * scale))
    part_HW = np.ascontiguousarray(grey_HW[top:bottom])
    across = max(1.0, part_HW.shape[1] / (2 * _READ_WIDTH_PX))
    size = (round(part_HW.shape[1] / across), max(8, round(part_HW.shape[0] / across)))
    if across > 1:
        part_HW = np.asarray(cv2.resize(part_HW, size, interpolation=cv2.INTER_AREA))
    ink_HW = clean(read_text_ink(part_HW, _FAINTEST))
    return _frame_ink(ink_HW, np.array([[across, 0, 0], [0, across, top]], dtype=np.float64))


def clean(ink_HW: Float32Array) -> Float32Array:
    """Return ink 0..1 without rules, specks, and ends of other lines."""
    ink_HW = _take_rules_off(ink_HW)
    is_ink_HW = (ink_HW > _IS_INK).astype(np.uint8)
    count, number_HW, facts_P5, _ = cv2.connectedComponentsWithStats(is_ink_HW, connectivity=8)
    if count == 1:
        return np.zeros_like(ink_HW)
    height = ink_HW.shape[0]
    top_P, height_P, area_P = facts_P5[:, 1], facts_P5[:, 3], facts_P5[:, 4]
    bottom_P = top_P + height_P
    is_above_P = (top_P == 0) & (bottom_P < _RIM * height)
    is_below_P = (bottom_P == height) & (top_P > (1 - _RIM) * height)
    is_foreign_P = area_P < _SPECK_PX
    if abs(find_slope(ink_HW)) < _STEEP:
        is_foreign_P |= is_above_P | is_below_P
    is_foreign_P[0] = False
    if not is_foreign_P.any():
        return ink_HW
    # A little around it, too: soft edges are ink that does not count as such.
    foreign_HW = cv2.dilate(is_foreign_P.astype(np.uint8)[number_HW], np.ones((3, 3), np.uint8))
    return np.where((foreign_HW == 1) & (is_ink_HW == 0), 0, ink_HW * (1 - foreign_HW * is_ink_HW))


def _take_rules_off(ink_HW: Float32Array) -> Float32Array:
    """Return ink without rules that lie level, and without the upright ones of squared paper."""
    height, width = ink_HW.shape
    length = max(40, round(_RULE_HEIGHTS * min(height, 96)))
    if width < length:
        return ink_HW
    ink_HW = _take_long_off(ink_HW, length, least_count=1)
    upright_WH = _take_long_off(ink_HW.T, round(_UPRIGHT * height), least_count=_LEAST_UPRIGHT)
    return np.ascontiguousarray(upright_WH.T)


def _take_long_off(ink_HW: Float32Array, length: int, least_count: int) -> Float32Array:
    """Return ink without what goes on level for a length, but where strokes cross it.

    Args:
        ink_HW: 0..1.
        length: In pixels; what is so long is no stroke of a letter.
        least_count: Of rows that hold such a thing, apart from each other; where they are fewer,
            all is kept.
    """
    height = ink_HW.shape[0]
    dark_HW = (ink_HW > _IS_DARK).astype(np.uint8)
    beyond = cv2.BORDER_CONSTANT
    share_HW = cv2.boxFilter(255 * dark_HW, -1, (length, 1), borderType=beyond)
    seeds_HW = (share_HW > 255 * _UNBROKEN).astype(np.uint8)
    if len(_runs(seeds_HW.any(axis=1))) < least_count:
        return ink_HW
    rules_HW = cv2.bitwise_and(cv2.dilate(seeds_HW, np.ones((1, length), np.uint8)), dark_HW)
    # The rim of a rule, and where it steps down by a row.
    near_HW = cv2.dilate(rules_HW, np.ones((3, 9), np.uint8))
    # A stroke that crosses goes on above and below.
    reach = 2 + round(0.03 * min(height, 96))
    beyond_HW = cv2.bitwise_and(dark_HW, 1 - near_HW)
    above_HW = cv2.dilate(beyond_HW, _column(reach, up=True))
    below_HW = cv2.dilate(beyond_HW, _column(reach, up=False))
    is_rule_HW = (near_HW == 1) & (cv2.bitwise_and(above_HW, below_HW) == 0)
    # What is much darker than the rule was written over it.
    is_rule_HW &= ink_HW < _OVERWRITTEN * float(np.median(ink_HW[rules_HW == 1])) + 0.1
    return np.where(is_rule_HW, np.float32(0), ink_HW)


def _column(reach: int, *, up: bool) -> UInt8Array:
    """Return what spreads a pixel down, or up, by some rows and a column to either side."""
    brush = np.zeros((2 * reach + 1, 3), np.uint8)
    brush[reach:] = 1
    return brush if up else brush[::-1].copy()


def find_rows(ink_HW: Float32Array) -> slice | None:
    """Return the rows of the line with the most ink, None where nothing is written."""
    is_ink_HW = ink_HW > _IS_INK
    profile_H = is_ink_HW.sum(axis=1).astype(np.float64)
    if profile_H.sum() < _LEAST_INK_PX:
        return None
    smooth_H = np.convolve(profile_H, np.ones(3) / 3, mode="same")
    is_on_H = smooth_H > max(0.4, _QUIET * float(smooth_H.max()))
    runs = _runs(is_on_H)
    heaviest = max(runs, key=lambda run: profile_H[run.start : run.stop].sum())
    joined = _join_near(runs, heaviest, ink_HW.shape[0])
    return joined if joined.stop - joined.start >= _LEAST_TEXT_PX else None


def _join_near(runs: list[slice], heaviest: slice, height: int) -> slice:
    """Return a run with what is near above and below: points of letters, tails."""
    start, stop = heaviest.start, heaviest.stop
    gap = max(2.0, _GAP * min(height, 3 * (stop - start)))
    for run in reversed([run for run in runs if run.stop <= start]):
        if start - run.stop <= gap and run.stop - run.start < stop - start:
            start = run.start
    for run in [run for run in runs if run.start >= stop]:
        if run.start - stop <= gap and run.stop - run.start < stop - start:
            stop = run.stop
    return slice(start, stop)


def _runs(is_on_H: BoolArray) -> list[slice]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], is_on_H.astype(np.int8), [0]])))
    return [slice(int(one), int(other)) for one, other in zip(edges[::2], edges[1::2], strict=True)]


def _frame_ink(ink_HW: Float32Array, to_picture: NDArray[np.float64]) -> FramedLine:
    """Return clean ink, levelled, in the frame."""
    # All of a steep line first, then what is left of the slope within its rows.
    for part in (slice(None), find_rows(ink_HW)):
        if part is None:
            return _EMPTY
        slope = find_slope(ink_HW[part])
        if slope:
            ink_HW, level = _level(ink_HW, slope)
            to_picture = to_picture @ np.vstack([level, [0, 0, 1]])
    rows = find_rows(ink_HW)
    if rows is None:
        return _EMPTY
    columns_W = (ink_HW[rows] > _IS_INK).any(axis=0)
    columns = np.flatnonzero(columns_W)
    if not len(columns):
        return _EMPTY
    left, right = int(columns[0]), int(columns[-1]) + 1
    cut_HW = ink_HW[rows.start : rows.stop, left:right]
    inner = round(HEIGHT * (1 - 2 * MARGIN))
    down = cut_HW.shape[0] / inner
    ink_width = min(MOST_WIDTH - 2 * SIDE_PX, max(1, round(cut_HW.shape[1] / down)))
    across = cut_HW.shape[1] / ink_width
    how = cv2.INTER_AREA if down > 1 else cv2.INTER_LINEAR
    small_hw = cv2.resize(cut_HW, (ink_width, inner), interpolation=how)
    top = (HEIGHT - inner) // 2
    width = -(-(ink_width + 2 * SIDE_PX) // STRIDE) * STRIDE
    framed_hw = np.zeros((HEIGHT, width), dtype=np.uint8)
    place = (slice(top, top + inner), slice(SIDE_PX, SIDE_PX + ink_width))
    framed_hw[place] = np.rint(255 * np.asarray(small_hw))
    shift = np.array(
        [[across, 0, left - SIDE_PX * across], [0, down, rows.start - top * down], [0, 0, 1]]
    )
    return FramedLine(framed_hw, to_picture @ shift, SIDE_PX + ink_width)


def find_slope(ink_HW: Float32Array) -> float:
    """Return by how many pixels a line goes down for each to the right; 0 where it is level.

    A straight line through the middles of the ink of each column, each as heavy as its ink.
    """
    height, width = ink_HW.shape
    if width < _LEAST_SLOPED * height:
        return 0.0
    weights_W = ink_HW.sum(axis=0, dtype=np.float64)
    total = float(weights_W.sum())
    if total <= 0:
        return 0.0
    x_W = np.arange(width, dtype=np.float64)
    moments_W = np.arange(height, dtype=np.float64) @ ink_HW
    middle_x = float(weights_W @ x_W) / total
    middle_y = float(moments_W.sum()) / total
    spread = float(weights_W @ np.square(x_W - middle_x))
    common = float((moments_W - middle_y * weights_W) @ (x_W - middle_x))
    slope = common / max(spread, 1e-6)
    return slope if _LEAST_SLOPE < abs(slope) < _MOST_SLOPE else 0.0


def _level(ink_HW: Float32Array, slope: float) -> tuple[Float32Array, NDArray[np.float64]]:
    """Return ink sheared so that a slope lies level, and how it lies on what it was."""
    height, width = ink_HW.shape
    reach = int(np.ceil(abs(slope) * width / 2))
    down = -slope
    matrix = np.array([[1, 0, 0], [down, 1, reach + slope * width / 2]], dtype=np.float64)
    sheared = cv2.warpAffine(ink_HW, matrix, (width, height + 2 * reach))
    back = cv2.invertAffineTransform(matrix)
    return np.asarray(sheared, dtype=np.float32), np.asarray(back, dtype=np.float64)


_EMPTY: Final = FramedLine(np.zeros((HEIGHT, 0), dtype=np.uint8), np.eye(2, 3), 0)
