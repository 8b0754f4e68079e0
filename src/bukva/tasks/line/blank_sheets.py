"""Strips of paper on which nobody wrote: plain, ruled, squared, soiled, as a camera takes them.

What the framing makes of them looks like writing to whoever has never seen it: squares, grain, rims
of holes. So it is learnt as lines that say nothing.

Shapes: C channels (RGB, 0..1), H x W pixels.
"""

import numpy as np

from bukva.core.arrays import UInt8Array
from bukva.core.imaging.camera import draw_camera_style, draw_light_style, expose, light_sheet
from bukva.core.imaging.dirt import DIRT
from bukva.core.imaging.papers import draw_sheet, draw_sheet_style
from bukva.errors import TooDarkError
from bukva.tasks.line.framing import FramedLine, frame_line

_HEIGHT_PX, _WIDTH_PX = (40, 110), (160, 640)
_PLAIN, _SOILED = 0.35, 0.45


def photograph_blank(rng: np.random.Generator) -> UInt8Array:
    """Return a picture `(H, W, 3)` of a strip of paper that says nothing."""
    shape = (int(rng.integers(*_HEIGHT_PX)), int(rng.integers(*_WIDTH_PX)))
    style = draw_sheet_style(rng)
    if rng.random() < _PLAIN:
        style = style._replace(rules=())
    symbol_px = 2 * shape[0]
    picture_CHW = draw_sheet(style, shape, float(symbol_px), rng)
    if rng.random() < _SOILED:
        for name in rng.choice(sorted(DIRT), int(rng.integers(1, 3)), replace=False):
            DIRT[str(name)](picture_CHW, symbol_px, rng)
    light = draw_light_style(rng)
    # A line is no photograph of a desk: its light falls off less from end to end.
    light = light._replace(falloff=0.4 * light.falloff, shadow=0.3 * light.shadow, glare=0.0)
    light_sheet(picture_CHW, light, rng)
    return expose(picture_CHW, draw_camera_style(rng), shape, rng)


def frame_blank(rng: np.random.Generator) -> FramedLine | None:
    """Return what the network sees of a strip, None where it sees nothing."""
    try:
        framed = frame_line(photograph_blank(rng))
    except TooDarkError:
        return None
    return None if framed.is_empty else framed
