"""The sheet of paper in a photograph that shows more than it.

Shapes: H x W pixels, C = 3 channels.
"""

from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from bukva.core.arrays import UInt8Array

_SIDE_PX: Final = 96
_STROKE_PX: Final = 9
_LEAST_STEP: Final = 30
_MOST_TURN_DEG: Final = 22.0
_INSET_SHARE: Final = 0.025
_LEAST_AREA, _LEAST_FILL, _LEAST_ASPECT = 0.05, 0.82, 0.2
_SHADE_LIGHT, _SHADE_COLOUR = 0.5, 10
_AROUND, _ALL_AROUND = 0.3, 0.7
_SHARP: Final = 0.6


class Sheet(NamedTuple):
    """A rectangle on a picture, in its pixels.

    Attributes:
        middle: x and y.
        size: Width and height.
        turn_deg: How far it is turned, clockwise.
    """

    middle: tuple[float, float]
    size: tuple[float, float]
    turn_deg: float

    def scale(self, factor: float) -> "Sheet":
        """Return the same on a picture larger by a factor."""
        (x, y), (width, height) = self.middle, self.size
        return Sheet((x * factor, y * factor), (width * factor, height * factor), self.turn_deg)

    def cut_out(self, pixels: UInt8Array) -> UInt8Array:
        """Return the sheet turned level, a little inside of its edges."""
        matrix = cv2.invertAffineTransform(self.to_picture())
        size, beyond = self._inner_size(), cv2.BORDER_REPLICATE
        return np.asarray(cv2.warpAffine(pixels, matrix, size, borderMode=beyond))

    def to_picture(self) -> NDArray[np.float64]:
        """Return `(2, 3)`, which takes places on the sheet that was cut out to the picture's."""
        width, height = self._inner_size()
        turned = cv2.getRotationMatrix2D((width / 2, height / 2), -self.turn_deg, 1.0)
        matrix: NDArray[np.float64] = np.asarray(turned)
        matrix[:, 2] += (self.middle[0] - width / 2, self.middle[1] - height / 2)
        return matrix

    def _inner_size(self) -> tuple[int, int]:
        inset = _INSET_SHARE * max(self.size) + 1
        width, height = (max(8, round(side - 2 * inset)) for side in self.size)
        return width, height


def shrink(pixels_HWC: UInt8Array, side_px: int) -> UInt8Array:
    """Return a picture made small, its longer side so many pixels."""
    height, width = pixels_HWC.shape[:2]
    scale = side_px / max(height, width)
    size = (max(3, round(width * scale)), max(3, round(height * scale)))
    return np.asarray(cv2.resize(pixels_HWC, size, interpolation=cv2.INTER_AREA))


def find_sheet(lab_HWC: UInt8Array) -> Sheet | None:
    """Return the sheet where something darker lies around it on two sides or more, else None.

    A shadow is darker, too; but paper in a shadow has the colour of the paper beside it, so that
    it is taken for a desk only where it lies all around.
    """
    small: UInt8Array = np.asarray(cv2.medianBlur(shrink(lab_HWC, _SIDE_PX), _STROKE_PX))
    how = cv2.THRESH_BINARY | cv2.THRESH_OTSU
    is_light_HW: UInt8Array = np.asarray(cv2.threshold(small[..., 0], 0, 255, how)[1])
    if not _has_desk(small, is_light_HW):
        return None
    outline = _largest_outline(is_light_HW)
    (x, y), (across, down), turn_deg = cv2.minAreaRect(outline)
    if abs(turn_deg) > 45:
        across, down, turn_deg = down, across, turn_deg - float(np.copysign(90, turn_deg))
    is_rectangle = (
        across * down >= _LEAST_AREA * small[..., 0].size,
        cv2.contourArea(outline) >= _LEAST_FILL * across * down,
        abs(turn_deg) <= _MOST_TURN_DEG,
        min(across, down) >= _LEAST_ASPECT * max(across, down),
    )
    if not all(is_rectangle):
        return None
    return Sheet((x + 0.5, y + 0.5), (across + 1, down + 1), turn_deg).scale(
        max(lab_HWC.shape[:2]) / _SIDE_PX
    )


def _has_desk(small_HWC: UInt8Array, is_light_HW: UInt8Array) -> bool:
    if is_light_HW.all() or not is_light_HW.any():
        return False
    light, dark = (
        np.array(cv2.mean(small_HWC, mask)[:3]) for mask in (is_light_HW, 255 - is_light_HW)
    )
    border = np.concatenate(
        [is_light_HW[0], is_light_HW[-1], is_light_HW[:, 0], is_light_HW[:, -1]]
    )
    is_shade = dark[0] > _SHADE_LIGHT * light[0] and np.hypot(*(light - dark)[1:]) < _SHADE_COLOUR
    around = float((border == 0).mean())
    step = light[0] - dark[0]
    if step < _LEAST_STEP or around < (_ALL_AROUND if is_shade else _AROUND):
        return False
    # A sheet ends at once, the shine of a lamp does not.
    ring = np.ones((5, 5), np.uint8)
    inside = cv2.subtract(is_light_HW, cv2.erode(is_light_HW, ring))
    outside = cv2.subtract(cv2.dilate(is_light_HW, ring), is_light_HW)
    across = cv2.mean(small_HWC, inside)[0] - cv2.mean(small_HWC, outside)[0]
    return bool(across >= _SHARP * step)


def _largest_outline(is_light_HW: UInt8Array) -> NDArray[np.int32]:
    """Return the outline of the largest light piece; what is written on it is its own."""
    outlines, _ = cv2.findContours(is_light_HW, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return np.asarray(max(outlines, key=cv2.contourArea))
