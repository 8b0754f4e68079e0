"""What a pen leaves behind, measured.

Shapes: N samples, H x W pixels.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bukva.core.arrays import UInt8Array

_INK_THRESHOLD: Final = 0.15


class InkStatistics(NamedTuple):
    """Measures of N images.

    Attributes:
        share_N: Ink as a share of the frame, 0..1.
        stroke_width_px_N: Twice the ink's area over its perimeter, as of a long thin stroke.
        aspect_N: Width over height of the ink's box.
    """

    share_N: NDArray[np.float64]
    stroke_width_px_N: NDArray[np.float64]
    aspect_N: NDArray[np.float64]


def measure_ink(images_NHW: UInt8Array) -> InkStatistics:
    """Measure the ink of uint8 images, ink high on zero; an empty one has zeros."""
    ink_NHW = images_NHW.astype(np.float64) / 255
    area_N = ink_NHW.sum(axis=(1, 2))
    # The slope, summed over an edge however blurred, is the edge's length.
    slope_y, slope_x = np.diff(ink_NHW, axis=1)[:, :, :-1], np.diff(ink_NHW, axis=2)[:, :-1]
    perimeter_N = np.hypot(slope_y, slope_x).sum(axis=(1, 2))
    is_ink_NHW = ink_NHW > _INK_THRESHOLD
    height_N, width_N = (is_ink_NHW.any(axis=axis).sum(axis=1) for axis in (2, 1))
    return InkStatistics(
        share_N=ink_NHW.mean(axis=(1, 2)),
        stroke_width_px_N=2 * area_N / np.maximum(perimeter_N, 1e-6),
        aspect_N=width_N / np.maximum(height_N, 1),
    )
