"""Where on a picture of ink a line lies, and how it slopes.

Shapes: H x W pixels.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from bukva.core.arrays import BoolArray, Float32Array

IS_INK: Final = 0.4
_LEAST_TEXT_PX, _LEAST_INK_PX = 6, 14
_QUIET: Final = 0.02
_GAP: Final = 0.12
_LEAST_SLOPED: Final = 3.0
_LEAST_SLOPE, _MOST_SLOPE = 0.008, 0.3


def find_rows(ink_HW: Float32Array) -> slice | None:
    """Return the rows of the line with the most ink, None where nothing is written."""
    is_ink_HW = ink_HW > IS_INK
    profile_H = is_ink_HW.sum(axis=1).astype(np.float64)
    if profile_H.sum() < _LEAST_INK_PX:
        return None
    smooth_H = np.convolve(profile_H, np.ones(3) / 3, mode="same")
    is_on_H = smooth_H > max(0.4, _QUIET * float(smooth_H.max()))
    runs = find_runs(is_on_H)
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


def find_runs(is_on_H: BoolArray) -> list[slice]:
    """Return from where to where it is on, each time."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], is_on_H.astype(np.int8), [0]])))
    return [slice(int(one), int(other)) for one, other in zip(edges[::2], edges[1::2], strict=True)]


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


def level(ink_HW: Float32Array, slope: float) -> tuple[Float32Array, NDArray[np.float64]]:
    """Return ink sheared so that a slope lies level, and how it lies on what it was."""
    height, width = ink_HW.shape
    reach = int(np.ceil(abs(slope) * width / 2))
    down = -slope
    matrix = np.array([[1, 0, 0], [down, 1, reach + slope * width / 2]], dtype=np.float64)
    sheared = cv2.warpAffine(ink_HW, matrix, (width, height + 2 * reach))
    back = cv2.invertAffineTransform(matrix)
    return np.asarray(sheared, dtype=np.float32), np.asarray(back, dtype=np.float64)
