"""Photographs of an A4 sheet with one letter, for paper.py."""

from typing import Final

import cv2
import numpy as np

from bukva.tasks.glyph.evaluation.conditions import Letter
from bukva.tasks.glyph.evaluation.scene_parts import cut_out, ink_of

CAPITALS: Final = "абвгдеіт"
"""а, б, д and е have a capital of another shape in print and in cursive; в, г and т in cursive; і
has a dot only as a small letter. The others differ from their capitals in size alone."""

A4_PX: Final = (4000, 3000)
A4_LONG_MM: Final = 297
LETTER_MM: Final = 14


def photograph_a4(letter: Letter, rng: np.random.Generator) -> bytes:
    """Return a JPEG photo of an A4 sheet with one letter, written in ballpoint, somewhere on it."""
    height, width = A4_PX
    symbol_HW = ink_of(cut_out(letter.page_HW))
    scale = LETTER_MM / A4_LONG_MM * height / symbol_HW.shape[0]
    symbol_HW = cv2.resize(symbol_HW, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    symbol_HW = cv2.GaussianBlur(symbol_HW, (0, 0), 1.5)[..., None]
    tone = rng.uniform(0.88, 1)
    photo_HWC = np.full((height, width, 3), np.array([226, 223, 216]) * tone, dtype=np.float32)
    margin = 400
    top, left = (
        int(rng.integers(margin, side - margin - length))
        for side, length in zip(A4_PX, symbol_HW.shape[:2], strict=True)
    )
    box_HWC = photo_HWC[top : top + symbol_HW.shape[0], left : left + symbol_HW.shape[1]]
    box_HWC += symbol_HW * (np.array([40, 50, 120], dtype=np.float32) - box_HWC)
    light_GG = rng.uniform(0.72, 1, (3, 3)).astype(np.float32)
    photo_HWC *= cv2.resize(light_GG, (width, height), interpolation=cv2.INTER_CUBIC)[..., None]
    noise_HWC = rng.normal(0, 4, (500, 500, 3)).astype(np.float32)
    photo_HWC += np.tile(noise_HWC, (height // 500, width // 500, 1))
    pixels_HWC = np.clip(photo_HWC, 0, 255).astype(np.uint8)
    bgr_HWC = cv2.cvtColor(pixels_HWC, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".jpg", bgr_HWC, [cv2.IMWRITE_JPEG_QUALITY, 90])
    return encoded.tobytes()
