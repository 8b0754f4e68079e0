"""From a picture of one line to what the network takes: its ink, 48 pixels high.

The paper is taken off as for documents (`bukva.core.imaging.text_ink`), then rules, then ends of
other lines that reach in from the rim; what is left is levelled and scaled.

Shapes: H x W pixels of a picture, h x w of the ink in the frame.
"""

from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from bukva.core.arrays import Float32Array, UInt8Array
from bukva.core.imaging.decoding import to_grey
from bukva.core.imaging.text_ink import read_text_ink
from bukva.errors import ImageTooSmallError
from bukva.tasks.line.cleaning import clean
from bukva.tasks.line.layout import IS_INK, find_rows, find_slope, level

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
_SHARP_TEXT_PX: Final = 30
"""Text that is lower on a reduced picture is read again from the whole one."""


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

    @property
    def height_px(self) -> float:
        """Height of the writing, with its tails, on the picture; 0 where nothing is written."""
        return 0.0 if self.is_empty else float(self.to_picture[1, 1] * HEIGHT * (1 - 2 * MARGIN))

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


def _frame_ink(ink_HW: Float32Array, to_picture: NDArray[np.float64]) -> FramedLine:
    """Return clean ink, levelled, in the frame."""
    # All of a steep line first, then what is left of the slope within its rows.
    ink_HW, to_picture = _level(ink_HW, slice(None), to_picture)
    rows = find_rows(ink_HW)
    if rows is None:
        return _EMPTY
    ink_HW, to_picture = _level(ink_HW, rows, to_picture)
    rows = find_rows(ink_HW) or rows
    columns = np.flatnonzero((ink_HW[rows] > IS_INK).any(axis=0))
    if not len(columns):
        return _EMPTY
    left, right = int(columns[0]), int(columns[-1]) + 1
    cut_hw, down, across = _scale(ink_HW[rows, left:right])
    height, ink_width = cut_hw.shape
    top = (HEIGHT - height) // 2
    width = -(-(ink_width + 2 * SIDE_PX) // STRIDE) * STRIDE
    framed_hw = np.zeros((HEIGHT, width), dtype=np.uint8)
    framed_hw[top : top + height, SIDE_PX : SIDE_PX + ink_width] = np.rint(255 * cut_hw)
    shift = np.array(
        [[across, 0, left - SIDE_PX * across], [0, down, rows.start - top * down], [0, 0, 1]]
    )
    return FramedLine(framed_hw, to_picture @ shift, SIDE_PX + ink_width)


def _level(
    ink_HW: Float32Array, rows: slice, to_picture: NDArray[np.float64]
) -> tuple[Float32Array, NDArray[np.float64]]:
    """Return ink without the slope of some of its rows, and how it lies on the picture."""
    slope = find_slope(ink_HW[rows])
    if not slope:
        return ink_HW, to_picture
    levelled_HW, back = level(ink_HW, slope)
    return levelled_HW, to_picture @ np.vstack([back, [0, 0, 1]])


def _scale(ink_hw: Float32Array) -> tuple[Float32Array, float, float]:
    """Return ink at the height that writing has in the frame, and the scales down and across."""
    height = round(HEIGHT * (1 - 2 * MARGIN))
    down = ink_hw.shape[0] / height
    width = min(MOST_WIDTH - 2 * SIDE_PX, max(1, round(ink_hw.shape[1] / down)))
    how = cv2.INTER_AREA if down > 1 else cv2.INTER_LINEAR
    scaled_hw = cv2.resize(ink_hw, (width, height), interpolation=how)
    return np.asarray(scaled_hw, dtype=np.float32), down, ink_hw.shape[1] / width


_EMPTY: Final = FramedLine(np.zeros((HEIGHT, 0), dtype=np.uint8), np.eye(2, 3), 0)
