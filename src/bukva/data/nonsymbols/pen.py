"""Pages with what a pen leaves that is no symbol: dots, lines, scribbles.

Shapes: P points as drawn, N points along a line, 2 = (x, y).
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from bukva.data.nonsymbols.kinds import Variation
from bukva.data.samples import UInt8Array
from bukva.data.strokes.curves import FloatArray, trace
from bukva.data.strokes.raster import ink_page

_SPACING_PX: Final = 2.0
_MAX_INK_GREY: Final = 120.0
_STOUTEST: Final = 1.4
"""Length of a dot over its width: a longer dab is a short line."""
_SAG: Final = 0.05
"""Rise of a line's middle over its length: more would bend it to a с."""


def draw_dot(rng: np.random.Generator, variation: Variation) -> UInt8Array:
    """Return a page with one touch of the pen."""
    width_px = _draw_log(rng, variation.dot_px)
    end_2 = _unit(rng.uniform(0, 2 * np.pi)) * width_px * (rng.uniform(1.0, _STOUTEST) - 1)
    return _ink(rng, variation, [np.stack([np.zeros(2), end_2 + 0.1])], width_px)


def draw_line(rng: np.random.Generator, variation: Variation) -> UInt8Array:
    """Return a page with one line, lying or slanted, about straight."""
    return _draw_stroke(rng, variation, rng.uniform(*variation.lying_deg))


def draw_upright(rng: np.random.Generator, variation: Variation) -> UInt8Array:
    """Return a page with one line too steep for `draw_line`."""
    low_deg, high_deg = variation.lying_deg
    return _draw_stroke(rng, variation, rng.uniform(high_deg, low_deg + 180.0))


def _draw_stroke(rng: np.random.Generator, variation: Variation, rise_deg: float) -> UInt8Array:
    angle = -np.radians(rise_deg)  # y grows downwards
    sag = rng.uniform(-_SAG, _SAG)
    bow_32 = np.array([[-0.5, 0.0], [0.0, sag], [0.5, 0.0]])
    turn_22 = np.stack([_unit(angle), _unit(angle + np.pi / 2)])
    return _ink(rng, variation, [bow_32 @ turn_22 * _reach_px(rng, variation)])


def draw_scribble(rng: np.random.Generator, variation: Variation) -> UInt8Array:
    """Return a page with a tangle that turns too often to be a letter."""
    forms = (_walk, _zigzag, _hatching, *((_coil, _spiral) if variation.has_more_forms else ()))
    strokes = forms[rng.integers(len(forms))](rng)
    angle, aspect = rng.uniform(0, 2 * np.pi), np.exp(rng.uniform(-0.3, 0.3))
    turn_22 = np.stack([_unit(angle), _unit(angle + np.pi / 2)]) * [aspect, 1 / aspect]
    size_px = _reach_px(rng, variation)
    return _ink(rng, variation, [stroke_P2 @ turn_22 * size_px for stroke_P2 in strokes])


def _walk(rng: np.random.Generator) -> list[FloatArray]:
    """From place to place at random."""
    return [rng.uniform(-0.5, 0.5, (rng.integers(10, 18), 2))]


def _zigzag(rng: np.random.Generator) -> list[FloatArray]:
    """Up and down, more often than any letter."""
    count = int(rng.integers(9, 18))
    along_P = np.linspace(-0.5, 0.5, count) + rng.normal(0, 0.015, count)
    across_P = 0.5 * (-1.0) ** np.arange(count) * rng.uniform(0.6, 1.0, count)
    return [np.stack([along_P, across_P], axis=1)]


def _hatching(rng: np.random.Generator) -> list[FloatArray]:
    """Lines side by side, and as many across them."""
    strokes = []
    for angle in (0.0, rng.uniform(0.8, 2.3)):
        turn_22 = np.stack([_unit(angle), _unit(angle + np.pi / 2)])
        for place in np.linspace(-0.45, 0.45, int(rng.integers(4, 8))):
            ends_22 = np.array([[-0.5, place], [0.5, place]]) + rng.normal(0, 0.03, (2, 2))
            strokes.append(ends_22 @ turn_22)
    return strokes


def _coil(rng: np.random.Generator) -> list[FloatArray]:
    """Loop after loop along a line."""
    loops = rng.uniform(5.0, 9.0)
    turn_P = np.linspace(0, 2 * np.pi * loops, int(12 * loops))
    circle_P2 = 0.3 * np.stack([np.cos(turn_P), np.sin(turn_P)], axis=1)
    return [circle_P2 + np.linspace([-0.35, 0.0], [0.35, 0.0], len(turn_P))]


def _spiral(rng: np.random.Generator) -> list[FloatArray]:
    """Round and round, three times at least."""
    turns = rng.uniform(3.0, 5.0)
    turn_P = np.linspace(0, 2 * np.pi * turns, int(12 * turns))
    radius_P1 = np.linspace(0.05, 0.5, len(turn_P))[:, None]
    return [radius_P1 * np.stack([np.cos(turn_P), np.sin(turn_P)], axis=1)]


def _ink(
    rng: np.random.Generator,
    variation: Variation,
    strokes: Sequence[FloatArray],
    width_px: float | None = None,
) -> UInt8Array:
    """Draw strokes, in pixels about the origin, somewhere on a page where they fit."""
    side_px = int(rng.integers(*variation.page_px))
    lines = [
        trace(stroke_P2, np.zeros(len(stroke_P2), dtype=bool), _SPACING_PX) for stroke_P2 in strokes
    ]
    points_N2 = np.concatenate(lines)
    low_2, high_2 = points_N2.min(axis=0), points_N2.max(axis=0)
    if width_px is None:
        # A pen as stout as the drawing would make a dot of it.
        width_px = min(_draw_log(rng, variation.pen_px), 0.1 * float((high_2 - low_2).max()))
    shrink = min(1.0, (side_px - width_px - 4) / float((high_2 - low_2).max()))
    margin_px = width_px / 2 + 2
    room_2 = side_px - 2 * margin_px - shrink * (high_2 - low_2)
    offset_2 = margin_px - shrink * low_2 + np.maximum(room_2, 0) * rng.beta(2, 2, 2)
    placed = [shrink * line_N2 + offset_2 for line_N2 in lines]
    widths = [np.full(len(line_N2), width_px) for line_N2 in placed]
    grain = rng.uniform(0, 0.3) if rng.random() < 0.3 else 0.0
    return ink_page(placed, widths, side_px, rng.uniform(0, _MAX_INK_GREY), grain, rng)


def _reach_px(rng: np.random.Generator, variation: Variation) -> float:
    return float(rng.uniform(*variation.reach)) * float(np.mean(variation.page_px))


def _draw_log(rng: np.random.Generator, limits: tuple[float, float]) -> float:
    """Draw between two positive limits, small values as often as large ones."""
    return float(np.exp(rng.uniform(*np.log(limits))))


def _unit(angle: float) -> FloatArray:
    return np.array([np.cos(angle), np.sin(angle)])
