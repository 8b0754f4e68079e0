"""What a hand writes with: ballpoint, pencil, marker, chalk; and a frame's ink at a pen's size.

Shapes: C channels (RGB, 0..1), H x W pixels.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

import cv2
import numpy as np

from bukva.core.arrays import Float32Array, UInt8Array
from bukva.core.imaging.painting import Colour, blend, draw_clouds, pick, take_noise, vary
from bukva.core.imaging.papers import SheetStyle

_CHALKS: Final[tuple[Colour, ...]] = ((0.93, 0.94, 0.92), (0.95, 0.9, 0.6), (0.93, 0.75, 0.78))
_LEAST_CONTRAST: Final = 0.22
"""Of the channel in which ink and paper differ most: below it a person would not see a letter."""


class PenStyle(NamedTuple):
    """A pen, and how it was held.

    Attributes:
        colour: Of full ink.
        strength: How much of the ground full ink hides, 0..1.
        covers: Whether ink hides what is below it, as chalk does; else it darkens it, as dyes do.
        thicker: How much is added around the line, as a share of the symbol; negative: taken.
        uneven: How much the ink varies along the line.
        grain: How much of the ground's grain shows in it.
    """

    colour: Colour
    strength: float
    covers: bool
    thicker: float
    uneven: float
    grain: float


class _Kind(NamedTuple):
    share: float
    colour: Colour
    strength: tuple[float, float]
    thicker: tuple[float, float]
    uneven: float
    grain: float


_KINDS: Final[Mapping[str, _Kind]] = {
    "blue": _Kind(0.25, (0.12, 0.18, 0.6), (0.6, 1.0), (-0.02, 0.01), 0.15, 0.12),
    "black": _Kind(0.14, (0.08, 0.08, 0.1), (0.6, 1.0), (-0.02, 0.015), 0.12, 0.1),
    "violet": _Kind(0.07, (0.35, 0.15, 0.6), (0.55, 1.0), (-0.02, 0.01), 0.15, 0.1),
    "red": _Kind(0.09, (0.82, 0.12, 0.15), (0.55, 1.0), (-0.02, 0.02), 0.12, 0.1),
    "green": _Kind(0.08, (0.1, 0.5, 0.25), (0.55, 1.0), (-0.02, 0.02), 0.12, 0.1),
    "pencil": _Kind(0.15, (0.28, 0.28, 0.3), (0.4, 0.85), (-0.01, 0.01), 0.25, 0.35),
    "marker": _Kind(0.08, (0.15, 0.15, 0.25), (0.85, 1.0), (0.0, 0.05), 0.05, 0.04),
    "orange": _Kind(0.05, (0.97, 0.5, 0.1), (0.7, 1.0), (-0.01, 0.04), 0.1, 0.08),
    "yellow": _Kind(0.05, (0.98, 0.9, 0.15), (0.7, 1.0), (0.0, 0.05), 0.08, 0.06),
    "pink": _Kind(0.04, (0.95, 0.35, 0.6), (0.7, 1.0), (-0.01, 0.04), 0.1, 0.08),
}


def draw_pen_style(rng: np.random.Generator, sheet: SheetStyle) -> PenStyle:
    """Return a random pen whose ink can be seen on the sheet."""
    if sheet.is_board:
        return PenStyle(
            colour=vary(rng, pick(rng, _CHALKS), 0.03),
            strength=rng.uniform(0.55, 0.98),
            covers=True,
            thicker=rng.uniform(-0.01, 0.03),
            uneven=rng.uniform(0.0, 0.3),
            grain=rng.uniform(0.1, 0.5),
        )
    kinds = list(_KINDS.values())
    kind = kinds[int(rng.choice(len(kinds), p=[kind.share for kind in kinds]))]
    pen = PenStyle(
        colour=vary(rng, kind.colour, 0.06),
        strength=rng.uniform(*kind.strength),
        covers=False,
        thicker=rng.uniform(*kind.thicker),
        uneven=rng.uniform(0.0, 2 * kind.uneven),
        grain=rng.uniform(0.0, 2 * kind.grain),
    )
    if _contrast(pen, sheet) < _LEAST_CONTRAST:
        return pen._replace(colour=(0.1, 0.1, 0.2), strength=0.9)
    return pen


def _contrast(pen: PenStyle, sheet: SheetStyle) -> float:
    """Return how much full ink darkens the sheet, in the channel where it does most."""
    pairs = zip(pen.colour, sheet.colour, strict=True)
    return pen.strength * max(ground * (1 - ink) for ink, ground in pairs)


def write_ink(
    picture_CHW: Float32Array, ink_HW: Float32Array, pen: PenStyle, rng: np.random.Generator
) -> None:
    """Write with a pen, in place.

    Args:
        picture_CHW: The sheet.
        ink_HW: How much ink lies where, 0..1, at the picture's size.
        pen: What it is written with.
        rng: Of what is uneven in it.
    """
    shape = ink_HW.shape
    flow_HW = np.float32(1) + draw_clouds(rng, shape, (6, 6)) * np.float32(pen.uneven)
    flow_HW -= np.maximum(take_noise(rng, shape), 0) * np.float32(pen.grain)
    flow_HW *= np.float32(pen.strength)
    cover_HW = ink_HW * np.clip(flow_HW, np.float32(0.3 * pen.strength), 1, out=flow_HW)
    if pen.covers:
        blend(picture_CHW, cover_HW, pen.colour)
        return
    for channel, value in enumerate(pen.colour):
        picture_CHW[channel] *= 1 - cover_HW * np.float32(1 - value)


def change_width(ink_HW: Float32Array, change_px: float) -> Float32Array:
    """Return a line thicker by so many pixels on each side, or thinner, if enough is left."""
    size = round(abs(change_px))
    if size == 0:
        return ink_HW
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * size + 1, 2 * size + 1))
    if change_px > 0:
        return np.asarray(cv2.dilate(ink_HW, kernel))
    thinner_HW: Float32Array = np.asarray(cv2.erode(ink_HW, kernel), dtype=np.float32)
    return thinner_HW if thinner_HW.sum() > 0.4 * ink_HW.sum() else ink_HW


def enlarge_frame(image_HW: UInt8Array, longest_px: int, rng: np.random.Generator) -> Float32Array:
    """Return the ink of a small frame cut out and drawn large, 0..1, with an edge of its own.

    The pixels are blown up smoothly, so that none of the small image's stairs are left, and cut
    at one level.

    Args:
        image_HW: uint8, ink high on zero; must hold some ink.
        longest_px: Longer side of what is returned.
        rng: Of the level and the edge.
    """
    left, top, width, height = cv2.boundingRect((image_HW >= _INK_FROM).view(np.uint8))
    box_HW = cv2.copyMakeBorder(
        image_HW[top : top + height, left : left + width], 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0
    ).astype(np.float32)
    scale = longest_px / (max(width, height) + 2)
    size = (max(1, round((width + 2) * scale)), max(1, round((height + 2) * scale)))
    smooth_HW: Float32Array = np.asarray(
        cv2.resize(box_HW, size, interpolation=cv2.INTER_CUBIC), dtype=np.float32
    )
    if scale > 1:
        smooth_HW = np.asarray(cv2.GaussianBlur(smooth_HW, (0, 0), 0.4 * scale), dtype=np.float32)
    level, softness = rng.uniform(0.35, 0.55), rng.uniform(0.03, 0.3)
    smooth_HW *= np.float32(1 / (softness * max(float(smooth_HW.max()), 1.0)))
    smooth_HW += np.float32(0.5 - level / softness)
    return np.clip(smooth_HW, 0, 1, out=smooth_HW)


_INK_FROM: Final = 32
"""Of 255: fainter pixels do not count for the symbol's box."""
