"""Inks strokes on a page: a disc of ink at each point of a dense line, anti-aliased.

Shapes: N points of a stroke, D discs, S side of a disc's square, 2 = (x, y).
"""

from collections.abc import Sequence

import numpy as np

from bukva.data.samples import Float32Array, UInt8Array
from bukva.data.strokes.curves import FloatArray, arc_lengths

PAPER = 255
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
    coverage_SS = _stamp(np.concatenate(discs), side_px)
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
