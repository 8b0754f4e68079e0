"""What the scenes are drawn with: sheets, lines, ink, a desk, a sensor.

Shapes: H x W pixels, C = 3 channels (RGB, 0..255).
"""

from collections.abc import Sequence
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.random import Generator

from bukva.core.arrays import BoolArray, Float32Array, UInt8Array

Colour: TypeAlias = tuple[int, int, int]
"""Red, green and blue, 0..255."""

WHITE: Final[Colour] = (250, 250, 248)
BALLPOINT: Final[Colour] = (30, 40, 110)
_DESKS: Final[Sequence[Colour]] = ((90, 60, 40), (60, 60, 65), (150, 110, 70), (30, 30, 30))


def ink_of(page_HW: UInt8Array) -> Float32Array:
    """Return how much ink lies where, 0..1: the darkest pixel has all."""
    darkest = float(page_HW.min())
    return (255 - page_HW.astype(np.float32)) / np.float32(max(1.0, 255 - darkest))


def is_ink(page_HW: UInt8Array) -> BoolArray:
    """Return which pixels have at least half of the ink."""
    return ink_of(page_HW) > 0.5


def lay_sheet(shape: tuple[int, ...], paper: Colour) -> Float32Array:
    """Return paper of one colour."""
    return np.full((*shape[:2], 3), paper, dtype=np.float32)


def write(sheet_HWC: Float32Array, page_HW: UInt8Array, pen: Colour) -> Float32Array:
    """Return a sheet with the page's ink on it, which covers what lies below."""
    ink_HW1 = ink_of(page_HW)[..., None]
    colour_C = np.array(pen, dtype=np.float32)
    return sheet_HWC + ink_HW1 * (colour_C - sheet_HWC)


def write_on_white(page_HW: UInt8Array) -> Float32Array:
    """Return the page as a ballpoint writes it on white paper."""
    return write(lay_sheet(page_HW.shape, WHITE), page_HW, BALLPOINT)


def measure_across(shape: tuple[int, ...], angle_deg: float) -> Float32Array:
    """Return how far each pixel `(H, W)` lies below a line through the middle, in pixels."""
    height, width = shape[:2]
    angle = np.radians(angle_deg)
    y_H1 = np.arange(height, dtype=np.float32)[:, None] - np.float32(height / 2)
    x_1W = np.arange(width, dtype=np.float32) - np.float32(width / 2)
    across_HW: Float32Array = y_H1 * np.float32(np.cos(angle)) - x_1W * np.float32(np.sin(angle))
    return across_HW


def print_lines(
    sheet_HWC: Float32Array,
    pitch_px: float,
    thickness_px: float,
    angle_deg: float,
    colour: Colour,
    rng: Generator,
) -> None:
    """Print lines, in place."""
    place_HW = (measure_across(sheet_HWC.shape, angle_deg) + rng.uniform(0, pitch_px)) % pitch_px
    distance_HW = np.minimum(place_HW, pitch_px - place_HW)
    cover_HW = np.clip(thickness_px / 2 + 0.5 - distance_HW, 0, 1).astype(np.float32)
    sheet_HWC += cover_HW[..., None] * (np.array(colour, dtype=np.float32) - sheet_HWC)


def lay_desk(shape: tuple[int, int], rng: Generator) -> Float32Array:
    """Return a desk of some colour, with a faint grain."""
    grain_HW = cv2.GaussianBlur(rng.standard_normal(shape, dtype=np.float32), (0, 0), 3)
    desk_HWC = lay_sheet(shape, _DESKS[int(rng.integers(len(_DESKS)))])
    return desk_HWC + 30 * grain_HW[..., None]


def cut_out(page_HW: UInt8Array) -> UInt8Array:
    """Return the box of the ink."""
    left, top, width, height = cv2.boundingRect(is_ink(page_HW).view(np.uint8))
    return page_HW[top : top + height, left : left + width]


def centre(page_HW: UInt8Array, side_px: int) -> UInt8Array:
    """Return the symbol alone in a square with a margin around it."""
    symbol_HW = cut_out(page_HW)
    side = round(1.36 * max(symbol_HW.shape))
    square_HW = np.full((side, side), 255, dtype=np.uint8)
    top, left = ((side - length) // 2 for length in symbol_HW.shape)
    square_HW[top : top + symbol_HW.shape[0], left : left + symbol_HW.shape[1]] = symbol_HW
    how = cv2.INTER_AREA if side > side_px else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(square_HW, (side_px, side_px), interpolation=how), dtype=np.uint8)


def sense(scene_HWC: Float32Array, rng: Generator, noise: float = 3.0) -> UInt8Array:
    """Return what a sensor with noise, in grey levels, makes of it."""
    noise_HWC = rng.standard_normal(scene_HWC.shape, dtype=np.float32) * np.float32(noise)
    return np.clip(scene_HWC + noise_HWC, 0, 255).astype(np.uint8)
