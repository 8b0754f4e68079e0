"""Curves through the points of a stroke.

Shapes: P points as written down, N points close together along the curve, 2 = (x, y).
"""

from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

FloatArray: TypeAlias = NDArray[np.float64]
BoolArray: TypeAlias = NDArray[np.bool_]


def trace(points_P2: FloatArray, is_corner_P: BoolArray, spacing: float) -> FloatArray:
    """Return the curve through the points, smooth except at corners, as `(N, 2)`.

    Args:
        points_P2: At least two points, neighbours distinct.
        is_corner_P: Where the pen turns sharply; the two ends count as corners anyway.
        spacing: Distance between neighbours of the result, in the unit of the points.
    """
    corners = [0, *np.flatnonzero(is_corner_P[1:-1]) + 1, len(points_P2) - 1]
    runs = [_spline(points_P2[start : end + 1], spacing) for start, end in pairwise(corners)]
    return np.concatenate([runs[0], *(run[1:] for run in runs[1:])])


def arc_lengths(points_N2: FloatArray) -> FloatArray:
    """Return the length of the curve from its start to each of its points, as `(N,)`."""
    steps_N2 = np.diff(points_N2, axis=0)
    return np.concatenate([[0.0], np.cumsum(np.hypot(steps_N2[:, 0], steps_N2[:, 1]))])


def sample_at(points_N2: FloatArray, arcs_N: FloatArray, wanted_M: FloatArray) -> FloatArray:
    """Return the points at the wanted arc lengths; beyond the ends the curve goes on straight."""
    inside_M2 = np.stack([np.interp(wanted_M, arcs_N, axis_N) for axis_N in points_N2.T], axis=1)
    before_M1 = np.minimum(wanted_M, 0.0)[:, None]
    after_M1 = np.maximum(wanted_M - arcs_N[-1], 0.0)[:, None]
    start_2 = _direction(points_N2[min(3, len(points_N2) - 1)] - points_N2[0])
    end_2 = _direction(points_N2[-1] - points_N2[max(-4, -len(points_N2))])
    return np.asarray(inside_M2 + before_M1 * start_2 + after_M1 * end_2)


def _direction(step_2: FloatArray) -> FloatArray:
    length = float(np.hypot(step_2[0], step_2[1]))
    return step_2 / length if length > 0 else step_2


def _spline(points_P2: FloatArray, spacing: float) -> FloatArray:
    """Cubic spline in centripetal parameters, which keep it from swinging out (Lee 1989)."""
    steps_P = np.sqrt(np.hypot(*np.diff(points_P2, axis=0).T))
    parameters_P = np.concatenate([[0.0], np.cumsum(steps_P)])
    is_closed = len(points_P2) > 3 and np.array_equal(points_P2[0], points_P2[-1])
    spline = CubicSpline(parameters_P, points_P2, bc_type="periodic" if is_closed else "natural")
    fine_N2 = np.asarray(spline(np.linspace(0.0, parameters_P[-1], 16 * len(points_P2))))
    arcs_N = arc_lengths(fine_N2)
    count = max(2, round(arcs_N[-1] / spacing) + 1)
    return sample_at(fine_N2, arcs_N, np.linspace(0.0, arcs_N[-1], count))
