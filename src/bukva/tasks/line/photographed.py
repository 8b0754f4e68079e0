"""Lines as a camera takes them: on plain, ruled, squared or soiled paper, and paper alone.

What the framing makes of squares, grain and rims of holes looks like writing to whoever has never
seen it: so paper alone is learnt as lines that say nothing.

Shapes: C channels (RGB, 0..1), H x W pixels.
"""

from typing import Final

import numpy as np

from bukva.core.arrays import UInt8Array
from bukva.core.imaging.camera import draw_camera_style, draw_light_style, expose, light_sheet
from bukva.core.imaging.dirt import DIRT
from bukva.core.imaging.painting import MAX_SIDE_PX
from bukva.core.imaging.papers import SheetStyle, draw_sheet, draw_sheet_style
from bukva.core.imaging.pens import draw_pen_style, write_ink
from bukva.errors import TooDarkError
from bukva.tasks.line.framing import FramedLine, frame_line

_MARGIN_PX: Final = (2, 24)
_BLANK_HEIGHT_PX, _BLANK_WIDTH_PX = (40, 110), (160, MAX_SIDE_PX)
_PLAIN: Final = 0.35
_SOILED, _SOILED_BLANK = 0.08, 0.45


def photograph_blank(rng: np.random.Generator) -> UInt8Array:
    """Return a picture `(H, W, 3)` of a strip of paper that says nothing."""
    shape = (int(rng.integers(*_BLANK_HEIGHT_PX)), int(rng.integers(*_BLANK_WIDTH_PX)))
    return _photograph(np.zeros(shape, dtype=np.uint8), rng, soiled=_SOILED_BLANK)


def photograph_line(ink_HW: UInt8Array, rng: np.random.Generator) -> UInt8Array | None:
    """Return a picture `(H, W, 3)` of a line on paper; None where it is too long to be drawn.

    Args:
        ink_HW: 0..255.
        rng: Of paper, pen, light and camera.
    """
    above, below, left, right = (int(rng.integers(*_MARGIN_PX)) for _ in range(4))
    if ink_HW.shape[1] + left + right > MAX_SIDE_PX:
        return None
    return _photograph(np.pad(ink_HW, ((above, below), (left, right))), rng, soiled=_SOILED)


def frame_photograph(picture_HWC: UInt8Array | None) -> FramedLine | None:
    """Return what the network sees of a picture, None where that is nothing."""
    if picture_HWC is None:
        return None
    try:
        framed = frame_line(picture_HWC)
    except TooDarkError:
        return None
    return None if framed.is_empty else framed


def _photograph(ink_HW: UInt8Array, rng: np.random.Generator, soiled: float) -> UInt8Array:
    shape = (ink_HW.shape[0], ink_HW.shape[1])
    style = _draw_style(rng)
    symbol_px = 2 * shape[0]
    picture_CHW = draw_sheet(style, shape, float(symbol_px), rng)
    if ink_HW.any():
        written_HW = ink_HW.astype(np.float32) / np.float32(255)
        write_ink(picture_CHW, written_HW, draw_pen_style(rng, style), rng)
    if rng.random() < soiled:
        for name in rng.choice(sorted(DIRT), int(rng.integers(1, 3)), replace=False):
            DIRT[str(name)](picture_CHW, symbol_px, rng)
    light = draw_light_style(rng)
    # A line is no photograph of a desk: its light falls off less from end to end.
    light = light._replace(falloff=0.4 * light.falloff, shadow=0.3 * light.shadow, glare=0.0)
    light_sheet(picture_CHW, light, rng)
    return expose(picture_CHW, draw_camera_style(rng), shape, rng)


def _draw_style(rng: np.random.Generator) -> SheetStyle:
    style = draw_sheet_style(rng)
    return style._replace(rules=()) if rng.random() < _PLAIN else style
