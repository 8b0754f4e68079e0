"""What a hand writes on: paper plain, ruled, squared or of graph; boards; the desk around.

Lengths are shares of the written symbol's longer side, so that a style fits pictures of any size.

Shapes: C channels (RGB, 0..1), H x W pixels.
"""

import colorsys
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from bukva.core.arrays import Float32Array
from bukva.core.imaging.painting import (
    Colour,
    blend,
    draw_clouds,
    draw_log,
    pick,
    take_noise,
    vary,
)

_WHITES: Final[Sequence[Colour]] = ((0.97, 0.97, 0.96), (0.9, 0.9, 0.9), (0.93, 0.94, 0.97))
_CREAMS: Final[Sequence[Colour]] = ((0.97, 0.94, 0.85), (0.93, 0.89, 0.8), (0.96, 0.93, 0.7))
_GREYS: Final[Sequence[Colour]] = ((0.8, 0.8, 0.79), (0.68, 0.68, 0.66), (0.75, 0.77, 0.8))
_BOARDS: Final[Sequence[Colour]] = ((0.13, 0.3, 0.22), (0.2, 0.36, 0.3), (0.15, 0.16, 0.17))
_PRINTED: Final[Sequence[Colour]] = (
    (0.35, 0.5, 0.8), (0.55, 0.72, 0.9), (0.5, 0.45, 0.75), (0.5, 0.5, 0.5), (0.25, 0.25, 0.28),
    (0.4, 0.65, 0.5), (0.45, 0.75, 0.8), (0.75, 0.45, 0.6),
)  # fmt: skip
_MARGINS: Final[Sequence[Colour]] = ((0.85, 0.3, 0.35), (0.85, 0.5, 0.6), (0.4, 0.45, 0.75))
_CHALK: Final[Colour] = (0.85, 0.87, 0.86)
_DESKS: Final[Sequence[Colour]] = (
    (0.45, 0.3, 0.18), (0.62, 0.45, 0.28), (0.25, 0.17, 0.12), (0.3, 0.3, 0.32), (0.1, 0.1, 0.11),
    (0.55, 0.57, 0.58), (0.35, 0.42, 0.5), (0.7, 0.6, 0.48), (0.5, 0.2, 0.18),
)  # fmt: skip


class Rules(NamedTuple):
    """Lines side by side.

    Attributes:
        pitch: From one to the next.
        phase: Where the first lies, as a share of the pitch.
        thickness: Of a line.
        turn_deg: Of the lines, from the horizontal.
        colour: Of a line where it covers the paper wholly.
        strength: How far it does, 0..1.
    """

    pitch: float
    phase: float
    thickness: float
    turn_deg: float
    colour: Colour
    strength: float


class SheetStyle(NamedTuple):
    """A sheet of paper, or a board.

    Attributes:
        colour: Of the ground.
        is_board: Whether it is written on with chalk.
        rules: What is printed on it.
        keystone: How much its lines run together, as seen from aslant.
        bend: How much its lines sag, as on a page that does not lie flat.
        grain: Of the paper, from pixel to pixel.
        clouds: How unevenly it is toned, or a board smeared.
    """

    colour: Colour
    is_board: bool
    rules: tuple[Rules, ...]
    keystone: float
    bend: float
    grain: float
    clouds: float


class DeskStyle(NamedTuple):
    """What lies around the sheet.

    Attributes:
        colour: Of the desk.
        texture: How uneven it is.
        turn_deg: Of the sheet.
        gaps: For the sheet's top, bottom, left and right edge: where it lies between the symbol
            (0) and the picture's edge (1); None where the sheet goes on.
    """

    colour: Colour
    texture: float
    turn_deg: float
    gaps: tuple[float | None, float | None, float | None, float | None]


def draw_sheet_style(rng: np.random.Generator) -> SheetStyle:
    """Return a random sheet; one in ten is a board."""
    is_board = rng.random() < 0.1
    colour = vary(rng, pick(rng, _BOARDS), 0.05) if is_board else _draw_paper_colour(rng)
    return SheetStyle(
        colour=colour,
        is_board=is_board,
        rules=_draw_rules(rng, is_board),
        keystone=rng.normal(0, 0.03),
        bend=rng.normal(0, 0.015),
        grain=rng.uniform(0.0, 0.03),
        clouds=rng.uniform(0.0, 0.12) if is_board else rng.uniform(0.0, 0.025),
    )


def draw_desk_style(rng: np.random.Generator) -> DeskStyle:
    """Return a random desk, seen on one to four sides of the sheet."""
    sides = rng.permutation(4)[: rng.choice([1, 1, 2, 3, 4, 4])]
    gaps = [float(rng.uniform(0.15, 0.95)) if side in sides else None for side in range(4)]
    return DeskStyle(
        colour=vary(rng, pick(rng, _DESKS), 0.08),
        texture=rng.uniform(0.0, 0.12),
        turn_deg=rng.normal(0, 4),
        gaps=(gaps[0], gaps[1], gaps[2], gaps[3]),
    )


def _draw_paper_colour(rng: np.random.Generator) -> Colour:
    draw = rng.random()
    if draw < 0.45:
        return vary(rng, pick(rng, _WHITES), 0.03)
    if draw < 0.65:
        return vary(rng, pick(rng, _CREAMS), 0.03)
    if draw < 0.8:
        return vary(rng, pick(rng, _GREYS), 0.06)
    hue = rng.uniform(0.13, 1.0)  # not the browns
    return colorsys.hsv_to_rgb(hue, rng.uniform(0.08, 0.5), rng.uniform(0.6, 1.0))


def _draw_rules(rng: np.random.Generator, is_board: bool) -> tuple[Rules, ...]:
    """Return what is printed: nothing, lines, slanted lines, squares or a graph's fine squares."""
    kind = rng.choice(5, p=[0.28, 0.25, 0.05, 0.28, 0.14])
    if kind == 0:
        return ()
    turn_deg = rng.normal(0, 2) if rng.random() < 0.8 else rng.uniform(-15, 15)
    fine = kind == 4
    pitch = draw_log(rng, 0.04, 0.2) if fine else draw_log(rng, 0.15, 1.2)
    thickness = max(pitch * draw_log(rng, 0.02, 0.09), 0.006)
    colour = _CHALK if is_board else vary(rng, pick(rng, _PRINTED), 0.08)
    lying = Rules(
        pitch, rng.random(), thickness, turn_deg, colour, strength=draw_log(rng, 0.12, 0.95)
    )
    if kind == 1:
        return (*_colour_by_turns(rng, lying), *_draw_margin(rng, lying))
    if kind == 2:
        steep_deg = turn_deg - rng.uniform(60, 75)
        slanted = lying._replace(pitch=pitch * rng.uniform(1, 4), turn_deg=steep_deg)
        return (lying, slanted)
    upright = lying._replace(turn_deg=turn_deg + 90, phase=rng.random())
    if not fine:
        return (lying, upright, *_draw_margin(rng, lying))
    every, bolder = int(rng.choice([5, 10])), min(1.0, 1.6 * lying.strength)
    coarse = [
        rules._replace(
            pitch=every * pitch,
            phase=(rules.phase + int(rng.integers(every))) / every,
            thickness=1.6 * thickness,
            strength=bolder,
        )
        for rules in (lying, upright)
    ]
    return (lying, upright, *coarse)


def _colour_by_turns(rng: np.random.Generator, rules: Rules) -> tuple[Rules, ...]:
    """Return the rules, some as two colours by turns, not always evenly spaced."""
    if rng.random() < 0.7:
        return (rules,)
    other = vary(rng, pick(rng, _PRINTED), 0.08)
    apart = rules.phase + rng.uniform(0.25, 0.5)
    wide = rules._replace(pitch=2 * rules.pitch)
    return (wide, wide._replace(phase=apart, colour=other))


def _draw_margin(rng: np.random.Generator, rules: Rules) -> tuple[Rules, ...]:
    """Return the line along a page's side, where the picture shows one."""
    if rng.random() < 0.8:
        return ()
    return (
        rules._replace(
            pitch=8.0,
            phase=rng.uniform(-0.07, 0.07),
            turn_deg=rules.turn_deg + 90,
            colour=vary(rng, pick(rng, _MARGINS), 0.08),
            strength=rng.uniform(0.3, 0.9),
        ),
    )


def draw_sheet(
    style: SheetStyle, shape: tuple[int, int], symbol_px: float, rng: np.random.Generator
) -> Float32Array:
    """Return the sheet as it fills a picture, RGB `(3, H, W)`.

    Args:
        style: How it looks.
        shape: Height and width of the picture.
        symbol_px: The longer side of the symbol that will stand on it.
        rng: Of grain and clouds.
    """
    sheet_CHW = np.empty((3, *shape), dtype=np.float32)
    sheet_CHW[:] = np.array(style.colour, dtype=np.float32)[:, None, None]
    for rules in style.rules:
        cover_HW = _cover(rules, style, shape, symbol_px)
        blend(sheet_CHW, cover_HW, rules.colour)
    tone_HW = take_noise(rng, shape) * np.float32(style.grain)
    tone_HW += draw_clouds(rng, shape) * np.float32(style.clouds)
    sheet_CHW += tone_HW
    return sheet_CHW


def _cover(
    rules: Rules, sheet: SheetStyle, shape: tuple[int, int], symbol_px: float
) -> Float32Array:
    """Return how far lines cover each pixel `(H, W)`, 0..1, with smooth edges."""
    height, width = shape
    side = max(shape)
    y_H1 = np.arange(height, dtype=np.float32)[:, None] - np.float32(height / 2)
    x_1W = np.arange(width, dtype=np.float32) - np.float32(width / 2)
    turn = np.radians(rules.turn_deg)
    along_HW = y_H1 * np.float32(np.sin(turn)) + x_1W * np.float32(np.cos(turn))
    across_HW = y_H1 * np.float32(np.cos(turn)) - x_1W * np.float32(np.sin(turn))
    across_HW *= 1 + np.float32(2 * sheet.keystone / side) * along_HW
    across_HW += np.float32(4 * sheet.bend / side) * along_HW * along_HW
    pitch_px, thickness_px = rules.pitch * symbol_px, rules.thickness * symbol_px
    across_HW *= np.float32(1 / pitch_px)
    across_HW -= np.float32(rules.phase)
    across_HW -= np.rint(across_HW)
    distance_HW = np.abs(across_HW, out=across_HW)
    cover_HW = np.float32(thickness_px / 2 + 0.5) - distance_HW * np.float32(pitch_px)
    cover_HW *= np.float32(rules.strength)
    top = rules.strength * min(1.0, thickness_px)
    return np.clip(cover_HW, 0, np.float32(top), out=cover_HW)


def lay_on_desk(
    sheet_CHW: Float32Array,
    style: DeskStyle,
    box: tuple[float, float, float, float],
    rng: np.random.Generator,
) -> None:
    """Draw the desk over what lies beyond the sheet's edges, in place.

    Args:
        sheet_CHW: The picture so far, all sheet.
        style: Where the edges are, and how the desk looks.
        box: Top, bottom, left and right of the symbol in pixels: the sheet holds it.
        rng: Of the texture.
    """
    height, width = shape = sheet_CHW.shape[1:]
    sine, cosine = np.sin(np.radians(style.turn_deg)), np.cos(np.radians(style.turn_deg))
    y_H1 = np.arange(height, dtype=np.float32)[:, None] - np.float32(height / 2)
    x_1W = np.arange(width, dtype=np.float32) - np.float32(width / 2)
    down_HW = y_H1 * np.float32(cosine) - x_1W * np.float32(sine) + np.float32(height / 2)
    right_HW = x_1W * np.float32(cosine) + y_H1 * np.float32(sine) + np.float32(width / 2)
    ends = (0, height, 0, width)
    desk_HW = np.zeros(shape, dtype=np.float32)
    for side, gap in enumerate(style.gaps):
        if gap is None:
            continue
        edge = np.float32(box[side] + gap * (ends[side] - box[side]))
        position_HW = down_HW if side < 2 else right_HW
        beyond_HW = edge - position_HW if side % 2 == 0 else position_HW - edge
        np.maximum(desk_HW, np.clip(beyond_HW + np.float32(0.5), 0, 1), out=desk_HW)
    texture_HW = draw_clouds(rng, shape, cells=(3, 24)) * np.float32(style.texture)
    texture_HW += take_noise(rng, shape) * np.float32(0.2 * style.texture)
    for channel, value in enumerate(style.colour):
        sheet_CHW[channel] += desk_HW * (np.float32(value) + texture_HW - sheet_CHW[channel])
