"""From a picture of text to its ink: no tone, shade or texture of the paper is left in it.

For lines, forms and pages; one symbol is read by `bukva.core.imaging.paper`, whose windows are made
for it.

Shapes: H x W pixels.
"""

from typing import Final

import cv2
import numpy as np

from bukva.core.arrays import Float32Array, UInt8Array
from bukva.core.imaging.paper import LEAST_LEVELS
from bukva.errors import TooDarkError

_DARK: Final = 45
_GROUND_SIDE_PX: Final = 320
_GROUND_LINE_PX: Final = 24
_REACH_PX: Final = 9
_SURE_PERCENTILE: Final = 85
_LEAST_USUAL: Final = 28.0
"""Levels, of 255: grain, stains and what shines through differ by less from their paper."""
_FAINTEST, _FULL = 0.25, 0.9  # of a picture's usual ink: below nothing, above all
_LEAST_SHARE: Final = 2e-4
_LEAST_PX: Final = 12


def read_text_ink(grey_HW: UInt8Array, faintest: float = _FAINTEST) -> Float32Array:
    """Return how much ink lies at each pixel, 0..1; nothing but zeros where there is none.

    Full ink is the usual ink of this picture: a pencil's is as full as a printer's.

    Args:
        grey_HW: uint8, dark on light or light on dark.
        faintest: Share of the picture's usual ink below which there is none; less of it keeps thin
            strokes of a pencil whole, and more of the paper.

    Raises:
        TooDarkError: If nothing stands out, and the picture is too dark for it.
    """
    away_HW = _differ_from_ground(grey_HW)
    levels = max(LEAST_LEVELS, 4.0 * float(np.median(away_HW)))
    sure_N = away_HW[away_HW > levels]
    if len(sure_N) < max(_LEAST_PX, _LEAST_SHARE * away_HW.size):
        if np.percentile(grey_HW, 95) < _DARK:
            message = "Expected a picture with light on it, got one too dark to see anything: "
            raise TooDarkError(f"{message}photograph it again in better light.")
        return np.zeros_like(away_HW)
    usual = float(np.percentile(sure_N, _SURE_PERCENTILE))
    if usual < _LEAST_USUAL:
        return np.zeros_like(away_HW)
    ink_HW = away_HW * np.float32(1 / (usual * (_FULL - faintest)))
    ink_HW -= np.float32(faintest / (_FULL - faintest))
    return np.clip(ink_HW, 0, 1, out=ink_HW)


def _differ_from_ground(grey_HW: UInt8Array) -> Float32Array:
    """Return by how many levels each pixel differs from its paper, on the side of the ink."""
    dark_HW = _darken(grey_HW)
    light_HW = _darken(255 - grey_HW)
    # What stands out more, at its strongest, is the ink: of paper, only grain stands out.
    strongest = [float(np.percentile(each[::2, ::2], 99)) for each in (dark_HW, light_HW)]
    counts = [int((each > LEAST_LEVELS).sum()) for each in (dark_HW, light_HW)]
    is_inverted = strongest[1] > strongest[0] and counts[1] < 2 * counts[0] + grey_HW.size // 2
    return light_HW if is_inverted and _is_mostly_dark(grey_HW) else dark_HW


def _is_mostly_dark(grey_HW: UInt8Array) -> bool:
    low, middle, high = np.percentile(grey_HW[::2, ::2], [1, 50, 99])
    return bool(middle - low < high - middle)


def _darken(grey_HW: UInt8Array) -> Float32Array:
    """Return by how much each pixel is darker than the paper around it."""
    height, width = grey_HW.shape
    shrink = min(1.0, _GROUND_LINE_PX / height if width > 3 * height else 1.0)
    shrink = min(shrink, _GROUND_SIDE_PX / max(height, width)) if shrink == 1.0 else shrink
    size = (max(3, round(width * shrink)), max(3, round(height * shrink)))
    small_HW = cv2.resize(grey_HW, size, interpolation=cv2.INTER_AREA)
    reach = np.ones((_REACH_PX, _REACH_PX), np.uint8)
    # The lightest near by is paper between the strokes; then back to where it was.
    light_HW = cv2.morphologyEx(small_HW, cv2.MORPH_CLOSE, reach)
    light_HW = cv2.GaussianBlur(cv2.medianBlur(light_HW, 5), (0, 0), 2.0)
    ground_HW = cv2.resize(light_HW, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.subtract(ground_HW, grey_HW)).astype(np.float32)
