"""A line cut out of a page along its outline, as the corpora of lines are cut.

Shapes: P points of the outline, H x W pixels of the page, h x w of what is cut out.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from bukva.core.arrays import UInt8Array

_GROWN: Final = 0.07
"""Of the line's thickness: outlines are often drawn too close."""
_RIM_PX: Final = 3
"""How far beyond the outline is looked for what the paper is like."""


def cut_line(pixels: UInt8Array, outline_P2: NDArray[np.float64]) -> UInt8Array:
    """Return a line with paper around it, without what stands beside its outline.

    Args:
        pixels: Of the page, grey `(H, W)` or RGB `(H, W, 3)`.
        outline_P2: A polygon on it, x and y in pixels.
    """
    points_P2 = np.rint(outline_P2).astype(np.int32)
    thickness = _measure_thickness(points_P2)
    grown = max(1, round(_GROWN * thickness))
    reach = grown + _RIM_PX
    height, width = pixels.shape[:2]
    left, top = np.maximum(points_P2.min(axis=0) - reach, 0).tolist()
    right, bottom = np.minimum(points_P2.max(axis=0) + reach + 1, (width, height)).tolist()
    part = pixels[top:bottom, left:right]
    inside_hw = np.zeros(part.shape[:2], dtype=np.uint8)
    cv2.fillPoly(inside_hw, [points_P2 - (left, top)], 1)
    grown_hw = np.asarray(cv2.dilate(inside_hw, _disc(grown)))
    is_rim_hw = np.asarray(cv2.dilate(grown_hw, _disc(_RIM_PX))) > grown_hw
    seen = part[is_rim_hw] if is_rim_hw.any() else part.reshape(-1, *part.shape[2:])
    paper = np.median(seen, axis=0).astype(np.uint8)
    is_inside = grown_hw.astype(bool).reshape(grown_hw.shape + (1,) * (part.ndim - 2))
    return np.ascontiguousarray(np.where(is_inside, part, paper))


def _measure_thickness(points_P2: NDArray[np.int32]) -> float:
    """Return the mean height of a polygon, or its mean width where it stands upright."""
    extent = np.ptp(points_P2, axis=0)
    area = float(cv2.contourArea(points_P2))
    return area / max(1.0, float(extent.max()))


def _disc(radius: int) -> UInt8Array:
    shape = (2 * radius + 1, 2 * radius + 1)
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, shape), dtype=np.uint8)
