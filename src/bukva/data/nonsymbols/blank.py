"""Blank pages: what preprocessing refuses before a network sees it, so nothing to learn from.

Shapes: S side of the page.
"""

import numpy as np

from bukva.data.samples import UInt8Array

_SIDE_PX = 200
_SHADE_LEVELS = 8.0
_GRAIN_LEVELS = 1.0


def draw_blank(rng: np.random.Generator) -> UInt8Array:
    """Return an empty page of any tone, perhaps with a faint shade and grain, as scans have."""
    tone = rng.uniform(0, 255)
    shade_SS = np.linspace(0, rng.uniform(0, _SHADE_LEVELS), _SIDE_PX)[:, None]
    grain_SS = rng.normal(0, rng.uniform(0, _GRAIN_LEVELS), (_SIDE_PX, _SIDE_PX))
    page_SS: UInt8Array = np.clip(tone + shade_SS + grain_SS, 0, 255).astype(np.uint8)
    return page_SS
