"""Curves through the points of a stroke.

Shapes: P points as written down, N points close together along the curve, 2 = (x, y).
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from bukva.core.arrays import Float32Array, UInt8Array

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


PAPER = 255
FINE = 4
"""Filled shapes are drawn so many times larger, for edges that are as soft as those of strokes."""
DISC_SPACING = 0.35
"""Distance of neighbouring discs in widths of the line: the edge waves by less than 2 %."""


def ink_page(
    strokes: Sequence[FloatArray],
    widths: Sequence[FloatArray],
    side_px: int,
    grey: float,
    grain: float,
    rng: np.random.Generator,
) -> UInt8Array:
    """Return a white page `(side_px, side_px)` with the strokes in ink.

    Args:
        strokes: Points `(N, 2)` of each stroke in pixels, (0, 0) = the page's upper left corner.
        widths: Width of the line at each of the points, in pixels.
        side_px: Side of the page; ink beyond it is cut off.
        grey: Level of full ink, 0..255.
        grain: Share of the ink that the paper's roughness leaves out, 0..1.
        rng: Draws the grain.
    """
    discs = [_discs(points, width) for points, width in zip(strokes, widths, strict=True)]
    return _ink(_stamp(np.concatenate(discs), side_px), grey, grain, rng)


def fill_page(
    outlines: Sequence[FloatArray],
    side_px: int,
    grey: float,
    grain: float,
    rng: np.random.Generator,
) -> UInt8Array:
    """Return a white page `(side_px, side_px)` with a shape in ink, as `ink_page` does of strokes.

    Args:
        outlines: Points `(N, 2)` of each closed outline in pixels; one within another is a hole.
        side_px: Side of the page; ink beyond it is cut off.
        grey: Level of full ink, 0..255.
        grain: Share of the ink that the paper's roughness leaves out, 0..1.
        rng: Draws the grain.
    """
    large_SS = np.zeros((FINE * side_px, FINE * side_px), dtype=np.uint8)
    corners = [np.rint(FINE * points_N2 - 0.5).astype(np.int32) for points_N2 in outlines]
    cv2.fillPoly(large_SS, corners, 255)
    small_SS = cv2.resize(large_SS, (side_px, side_px), interpolation=cv2.INTER_AREA)
    return _ink(np.asarray(small_SS / 255, dtype=np.float32), grey, grain, rng)


def _ink(
    coverage_SS: Float32Array, grey: float, grain: float, rng: np.random.Generator
) -> UInt8Array:
    if grain > 0:
        coverage_SS *= 1 - grain * rng.random(coverage_SS.shape, dtype=np.float32)
    page: UInt8Array = np.rint(PAPER - (PAPER - grey) * coverage_SS).astype(np.uint8)
    return page


def _discs(points_N2: FloatArray, widths_N: FloatArray) -> FloatArray:
    """Return discs `(D, 3)` = (x, y, diameter) along a stroke."""
    arcs_N = arc_lengths(points_N2)
    spacing_px = max(0.5, DISC_SPACING * float(widths_N.min()))
    at_D = np.linspace(0.0, arcs_N[-1], int(arcs_N[-1] / spacing_px) + 2)
    columns = (points_N2[:, 0], points_N2[:, 1], widths_N)
    return np.stack([np.interp(at_D, arcs_N, column_N) for column_N in columns], axis=1)


def _stamp(discs_D3: FloatArray, side_px: int) -> Float32Array:
    """Return the covered share of each pixel: the most that any one disc covers."""
    reach = int(discs_D3[:, 2].max() / 2 + 1.5)
    padded_px = side_px + 2 * reach
    centres_D2 = np.clip(discs_D3[:, :2], 0.0, side_px - 1e-3).astype(np.float32)
    cells_D2 = centres_D2.astype(np.intp)
    offsets_S = np.arange(-reach, reach + 1)
    # A pixel's own place is its centre, half a pixel in from its corner.
    gaps_DS2 = (offsets_S[:, None] + np.float32(0.5)) - (centres_D2 - cells_D2)[:, None, :]
    squares_DS2 = gaps_DS2.astype(np.float32) ** 2
    distances_DSS = np.sqrt(squares_DS2[:, :, None, 1] + squares_DS2[:, None, :, 0])
    radii_D11 = (discs_D3[:, 2] / 2 + 0.5).astype(np.float32)[:, None, None]
    covered_DSS = np.clip(radii_D11 - distances_DSS, 0.0, 1.0)
    corners_D = (cells_D2[:, 1] + reach) * padded_px + cells_D2[:, 0] + reach
    places_DSS = corners_D[:, None, None] + offsets_S[:, None] * padded_px + offsets_S
    page = np.zeros(padded_px * padded_px, dtype=np.float32)
    np.maximum.at(page, places_DSS.ravel(), covered_DSS.ravel())
    return page.reshape(padded_px, padded_px)[reach:-reach, reach:-reach]
