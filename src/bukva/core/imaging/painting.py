"""What simulated paper, pens and cameras are painted with: colours, clouds, noise.

Shapes: C channels (RGB, 0..1), H x W pixels.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import cv2
import numpy as np

from bukva.core.arrays import Float32Array

Colour = tuple[float, float, float]
"""Red, green and blue, 0..1."""


def blend(picture_CHW: Float32Array, cover_HW: Float32Array, colour: Colour) -> None:
    """Cover a picture by a colour, as far as `cover_HW` says, in place."""
    for channel, value in enumerate(colour):
        picture_CHW[channel] += cover_HW * (np.float32(value) - picture_CHW[channel])


def draw_clouds(
    rng: np.random.Generator, shape: tuple[int, int], cells: tuple[int, int] = (4, 4)
) -> Float32Array:
    """Return soft patches `(H, W)` about 0, as many as there are cells down and across."""
    tones = rng.standard_normal(cells, dtype=np.float32)
    return np.asarray(cv2.resize(tones, shape[::-1], interpolation=cv2.INTER_CUBIC))


def take_noise(rng: np.random.Generator, shape: tuple[int, int]) -> Float32Array:
    """Return standard noise `(H, W)`: a piece of a large sheet of it, which costs nothing."""
    noise_HW = _noise()
    top, left = (int(rng.integers(noise_HW.shape[0] - side + 1)) for side in shape)
    return noise_HW[top : top + shape[0], left : left + shape[1]]


MAX_SIDE_PX: Final = 640
"""Pictures are drawn no larger: the sheet of noise has to hold them."""


@lru_cache(maxsize=1)
def _noise() -> Float32Array:
    side = MAX_SIDE_PX + 128
    return np.random.default_rng(0).standard_normal((side, side), dtype=np.float32)


def pick(rng: np.random.Generator, colours: Sequence[Colour]) -> Colour:
    """Return one of some colours."""
    return colours[int(rng.integers(len(colours)))]


def vary(rng: np.random.Generator, colour: Colour, spread: float) -> Colour:
    """Return a colour a little lighter or darker, and a little of another hue."""
    shift_C = rng.normal(0, spread) + rng.normal(0, spread / 3, 3)
    red, green, blue = np.clip(np.add(colour, shift_C), 0.02, 1.0).tolist()
    return red, green, blue


def draw_log(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw between two positive limits, small values as often as large ones."""
    return float(low * (high / low) ** rng.random())
