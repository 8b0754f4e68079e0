"""What else is on a sheet, though nobody wrote it: specks, holes, staples, smears.

Shapes: C channels (RGB, 0..1), H x W pixels.
"""

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np

from bukva.core.arrays import Float32Array
from bukva.core.imaging.painting import blend, draw_log, take_noise


def _add_specks(picture_CHW: Float32Array, symbol_px: int, rng: np.random.Generator) -> None:
    """Strew a few dots, dark or light."""
    for _ in range(int(rng.integers(1, 8))):
        _add_disc(picture_CHW, symbol_px * draw_log(rng, 0.004, 0.015), rng.random() < 0.7, rng)


def _add_hole(picture_CHW: Float32Array, symbol_px: int, rng: np.random.Generator) -> None:
    """Punch a hole near an edge, dark or light as what lies below."""
    _add_disc(
        picture_CHW, symbol_px * rng.uniform(0.08, 0.2), rng.random() < 0.6, rng, at_edge=True
    )


def _add_disc(
    picture_CHW: Float32Array,
    radius_px: float,
    is_dark: bool,
    rng: np.random.Generator,
    at_edge: bool = False,
) -> None:
    height, width = picture_CHW.shape[1:]
    place_2 = rng.random(2)
    if at_edge:
        place_2[int(rng.integers(2))] = rng.choice([0.03, 0.97])
    mask_HW = np.zeros((height, width), dtype=np.uint8)
    middle = (round(place_2[0] * width * 16), round(place_2[1] * height * 16))
    cv2.circle(mask_HW, middle, max(6, round(radius_px * 16)), 255, -1, cv2.LINE_AA, 4)
    tone = rng.uniform(0.05, 0.4) if is_dark else rng.uniform(0.9, 1.0)
    blend(picture_CHW, mask_HW * np.float32(1 / 255), (tone, tone, tone))


def _add_staple(picture_CHW: Float32Array, symbol_px: int, rng: np.random.Generator) -> None:
    """Put a staple near an edge: a short stroke of metal, light above and dark below."""
    height, width = picture_CHW.shape[1:]
    middle_2 = rng.random(2) * (width, height)
    axis = int(rng.integers(2))
    middle_2[axis] = rng.choice([0.06, 0.94]) * (width, height)[axis]
    angle, half = rng.uniform(0, np.pi), symbol_px * rng.uniform(0.08, 0.18)
    reach_2 = half * np.array([np.cos(angle), np.sin(angle)])
    thickness = max(1, round(0.02 * symbol_px))
    for shift, tone in ((0, rng.uniform(0.15, 0.4)), (-thickness, rng.uniform(0.6, 0.9))):
        mask_HW = np.zeros((height, width), dtype=np.uint8)
        ends = [(int(x), int(y) + shift) for x, y in (middle_2 - reach_2, middle_2 + reach_2)]
        cv2.line(mask_HW, ends[0], ends[1], 255, thickness, cv2.LINE_AA)
        blend(picture_CHW, mask_HW * np.float32(1 / 255), (tone, tone, tone))


def _add_smear(picture_CHW: Float32Array, symbol_px: int, rng: np.random.Generator) -> None:
    """Wipe over the sheet: a broad streak a little lighter or darker."""
    height, width = picture_CHW.shape[1:]
    mask_HW = np.zeros((height, width), dtype=np.uint8)
    ends = rng.integers(0, max(height, width), (2, 2)).tolist()
    cv2.line(mask_HW, ends[0], ends[1], 255, max(2, round(symbol_px * rng.uniform(0.1, 0.4))))
    soft_HW = cv2.blur(mask_HW, (symbol_px // 8 + 1, symbol_px // 8 + 1)) * np.float32(1 / 255)
    streaks_HW = np.clip(take_noise(rng, soft_HW.shape) * np.float32(0.3) + 1, 0, 2)
    picture_CHW += soft_HW * streaks_HW * np.float32(rng.choice([-0.08, 0.1, 0.16]))


DIRT_SHARES: Final = {
    "bleed": 0.05, "specks": 0.12, "hole": 0.03, "staple": 0.03, "smear": 0.05, "pixel": 0.04,
}  # fmt: skip
"""How many pictures have each; what shines through is ink, and a dead pixel is the camera's."""

DIRT: Final[dict[str, Callable[[Float32Array, int, np.random.Generator], None]]] = {
    "specks": _add_specks,
    "hole": _add_hole,
    "staple": _add_staple,
    "smear": _add_smear,
}
"""What is drawn on the sheet beside the symbol, in place."""
