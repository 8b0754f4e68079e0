"""Pages as they look on paper, for measuring: written apart from what training simulates.

Each scene takes a clean page, grey `(H, W)`, dark on white, and a generator, and gives RGB pixels
`(H, W, 3)`, uint8. Its colours, pitches and shadows are its own, so that a recogniser that learnt
one simulation by heart gains nothing here.

Shapes: H x W pixels, C = 3 channels (RGB, 0..255).
"""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.random import Generator

from bukva.core.arrays import UInt8Array
from bukva.tasks.glyph.evaluation.scene_parts import (
    BALLPOINT,
    WHITE,
    Colour,
    centre,
    cut_out,
    ink_of,
    lay_desk,
    lay_sheet,
    measure_across,
    print_lines,
    sense,
    write,
    write_on_white,
)

Scene: TypeAlias = Callable[[UInt8Array, Generator], UInt8Array]

_GREY_PAPER: Final[Colour] = (185, 184, 180)
_PENCIL: Final[Colour] = (110, 110, 112)
_BOARD: Final[Colour] = (45, 70, 55)
_CHALK: Final[Colour] = (215, 220, 215)
_KRAFT: Final[Colour] = (178, 140, 98)
_INKS: Final[Sequence[Colour]] = (
    (30, 50, 150), (200, 40, 40), (30, 130, 60), (120, 40, 150), (240, 140, 40), (40, 40, 40),
)  # fmt: skip


def plain(paper: Colour, pen: Colour, noise: float = 3.0) -> Scene:
    """Return the scene of a letter in one colour on another."""

    def draw(page_HW: UInt8Array, rng: Generator) -> UInt8Array:
        return sense(write(lay_sheet(page_HW.shape, paper), page_HW, pen), rng, noise)

    return draw


def ruled(
    pitch: float,
    colour: Colour,
    *,
    is_squared: bool = False,
    turn_deg: float = 0.0,
    thickness_px: float = 1.6,
) -> Scene:
    """Return the scene of printed lines; `pitch` is their distance as a share of the page."""

    def draw(page_HW: UInt8Array, rng: Generator) -> UInt8Array:
        sheet_HWC = lay_sheet(page_HW.shape, WHITE)
        for angle_deg in (turn_deg, turn_deg + 90)[: 1 + is_squared]:
            print_lines(sheet_HWC, pitch * len(page_HW), thickness_px, angle_deg, colour, rng)
        return sense(write(sheet_HWC, page_HW, BALLPOINT), rng)

    return draw


def soft_shadow(darkest: float) -> Scene:
    """Return the scene of light that fades towards one side, to a share of itself."""

    def draw(page_HW: UInt8Array, rng: Generator) -> UInt8Array:
        height, width = page_HW.shape
        light_HW = np.linspace(1, darkest, width, dtype=np.float32)[None]
        if rng.random() < 0.5:
            light_HW = np.linspace(1, darkest, height, dtype=np.float32)[:, None]
        if rng.random() < 0.5:
            light_HW = light_HW[::-1, ::-1]
        return sense(write_on_white(page_HW) * light_HW[..., None], rng)

    return draw


def hard_shadow(darkest: float) -> Scene:
    """Return the scene of a straight edge whose shadow falls across the page."""

    def draw(page_HW: UInt8Array, rng: Generator) -> UInt8Array:
        across_HW = measure_across(page_HW.shape, rng.uniform(0, 360))
        is_dark_HW = across_HW > rng.uniform(-0.15, 0.15) * page_HW.shape[1]
        light_HW = np.where(is_dark_HW, np.float32(darkest), np.float32(1))
        return sense(write_on_white(page_HW) * light_HW[..., None], rng)

    return draw


def desk_around(page_HW: UInt8Array, rng: Generator) -> UInt8Array:
    """Lay the page, turned a little, on a desk that is seen on all sides."""
    margin = round(0.35 * max(page_HW.shape))
    height, width = (side + 2 * margin for side in page_HW.shape)
    picture_HWC = lay_desk((height, width), rng)
    picture_HWC[margin:-margin, margin:-margin] = write_on_white(page_HW)
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-12, 12), 1)
    turned_HWC = cv2.warpAffine(picture_HWC, turn, (width, height), borderMode=cv2.BORDER_REFLECT)
    return sense(np.asarray(turned_HWC, dtype=np.float32), rng)


def desk_beside(page_HW: UInt8Array, rng: Generator) -> UInt8Array:
    """Lay the page on a desk that is seen to the left of it."""
    margin = round(0.35 * max(page_HW.shape))
    height, width = page_HW.shape
    picture_HWC = lay_desk((height, width + margin), rng)
    picture_HWC[:, margin:] = write_on_white(page_HW)
    return sense(picture_HWC, rng)


def glare(page_HW: UInt8Array, rng: Generator) -> UInt8Array:
    """Let a lamp be mirrored on grey paper, anywhere."""
    sheet_HWC = write(lay_sheet(page_HW.shape, (170, 170, 168)), page_HW, (95, 95, 98))
    height, width = page_HW.shape
    y_H1 = np.arange(height, dtype=np.float32)[:, None] - rng.uniform(0, height)
    x_1W = np.arange(width, dtype=np.float32) - rng.uniform(0, width)
    spot_HW = 85 * np.exp(-(y_H1**2 + x_1W**2) / (2 * (0.15 * width) ** 2))
    return sense(sheet_HWC + spot_HW.astype(np.float32)[..., None], rng)


def white_pixel(page_HW: UInt8Array, rng: Generator) -> UInt8Array:
    """Write in pencil on grey, where one pixel is whiter than all paper."""
    sheet_HWC = write(lay_sheet(page_HW.shape, _GREY_PAPER), page_HW, _PENCIL)
    y, x = (int(rng.integers(side)) for side in page_HW.shape)
    sheet_HWC[y, x] = 255
    return sheet_HWC.astype(np.uint8)


def neighbour(page_HW: UInt8Array, rng: Generator) -> UInt8Array:
    """Let a third of another letter, the same upside down, reach in at the right edge."""
    other_HW = cut_out(page_HW)[::-1, ::-1]
    part_HW = other_HW[:, : max(1, other_HW.shape[1] // 3)]
    height, width = part_HW.shape
    top = int(rng.integers(0, len(page_HW) - height + 1))
    both_HW = page_HW.copy()
    corner_HW = both_HW[top : top + height, -width:]
    np.minimum(corner_HW, part_HW, out=corner_HW)
    return sense(write_on_white(both_HW), rng)


def chalk(page_HW: UInt8Array, rng: Generator) -> UInt8Array:
    """Write in chalk, with gaps, on a board that was wiped badly."""
    has_gap_HW = rng.random(page_HW.shape, dtype=np.float32) < 0.25
    cover_HW = ink_of(page_HW) * np.where(has_gap_HW, np.float32(0.6), np.float32(1))
    board_HWC = lay_sheet(page_HW.shape, _BOARD)
    board_HWC += cover_HW[..., None] * (np.array(_CHALK, dtype=np.float32) - board_HWC)
    smear_HW = cv2.GaussianBlur(rng.standard_normal(page_HW.shape, dtype=np.float32), (0, 0), 12)
    smear_HW *= np.float32(14) / smear_HW.std()
    return sense(board_HWC + np.abs(smear_HW)[..., None], rng, noise=5)


def cropped(page_HW: UInt8Array, rng: Generator) -> UInt8Array:
    """Cut the page to the ink, as a careful person does with a photo."""
    return sense(write_on_white(cut_out(page_HW)), rng)


def small_photo(pitch_px: tuple[float, float] | None, colour: Colour, *, squares: bool) -> Scene:
    """Return the scene of a photo of 32 x 32 pixels, in ink of some colour on printed paper.

    Args:
        pitch_px: Range of the distance of the printed lines, where the photo has 160 pixels; None
            for plain paper.
        colour: Of these lines.
        squares: Whether they go both ways.
    """
    lens_px, side_px = 160, 32

    def draw(page_HW: UInt8Array, rng: Generator) -> UInt8Array:
        close_HW = centre(page_HW, lens_px)
        sheet_HWC = lay_sheet(close_HW.shape, (242, 241, 236))
        if pitch_px is not None:
            pitch, turn_deg = rng.uniform(*pitch_px), rng.uniform(-3, 3)
            thickness_px = rng.uniform(0.06, 0.1) * pitch + 0.8
            for angle_deg in (turn_deg, turn_deg + 90)[: 1 + squares]:
                print_lines(sheet_HWC, pitch, thickness_px, angle_deg, colour, rng)
        sheet_HWC = write(sheet_HWC, close_HW, _INKS[int(rng.integers(len(_INKS)))])
        soft_HWC = cv2.GaussianBlur(sheet_HWC, (0, 0), 2.5) * np.float32(rng.uniform(0.75, 1))
        small_HWC = cv2.resize(soft_HWC, (side_px, side_px), interpolation=cv2.INTER_AREA)
        return sense(np.asarray(small_HWC, dtype=np.float32), rng, noise=2.5)

    return draw


def millimetre(page_HW: UInt8Array, rng: Generator) -> UInt8Array:
    """Write on orange millimetre paper, whose fifth and tenth lines are bolder."""
    sheet_HWC = lay_sheet(page_HW.shape, (252, 247, 238))
    pitch_px = len(page_HW) / 36
    lines = ((1, 0.9, (250, 205, 160)), (5, 1.2, (245, 180, 120)), (10, 1.8, (235, 150, 85)))
    for every, thickness_px, colour in lines:
        for angle_deg in (0.0, 90.0):
            # The bolder lines lie on finer ones: the generator is the same for all.
            own = np.random.default_rng(7 + round(angle_deg))
            print_lines(sheet_HWC, every * pitch_px, thickness_px, angle_deg, colour, own)
    return sense(write(sheet_HWC, page_HW, BALLPOINT), rng)


def crease(page_HW: UInt8Array, rng: Generator) -> UInt8Array:
    """Write on a sheet that was folded: half of it in less light, a dark line with a bright rim."""
    across_HW = measure_across(page_HW.shape, rng.choice([0, 90]) + rng.uniform(-8, 8))
    across_HW = across_HW - np.float32(rng.uniform(-0.25, 0.25) * len(page_HW))
    light_HW = np.where(across_HW > 0, np.float32(0.84), np.float32(1))
    light_HW -= np.float32(0.3) * np.exp(-((across_HW / 1.5) ** 2))
    light_HW += np.float32(0.05) * np.exp(-(((across_HW + 4) / 2) ** 2))
    # Away from the fold the sheet bends back into the light.
    light_HW += np.float32(0.1) * np.clip(across_HW / len(page_HW), 0, 1)
    return sense(write_on_white(page_HW) * light_HW[..., None], rng)


def kraft(page_HW: UInt8Array, rng: Generator) -> UInt8Array:
    """Write in ballpoint on brown wrapping paper, full of fibres."""
    sheet_HWC = lay_sheet(page_HW.shape, _KRAFT)
    grain_HW = rng.standard_normal(page_HW.shape, dtype=np.float32)
    for size in ((9, 1), (1, 7)):
        sheet_HWC += 9 * cv2.blur(grain_HW, size)[..., None]
    return sense(write(sheet_HWC, page_HW, (35, 40, 95)), rng)


_GRID: Final[Colour] = (160, 170, 205)
SCENES: Final[dict[str, Scene]] = {
    "squared_wide": ruled(1 / 5, (150, 175, 215), is_squared=True),
    "squared_narrow": ruled(1 / 11, (150, 175, 215), is_squared=True),
    "ruled": ruled(1 / 4, (110, 140, 200)),
    "ruled_turned": ruled(1 / 4.5, (130, 150, 210), turn_deg=3),
    "soft_shadow_70": soft_shadow(0.7),
    "soft_shadow_50": soft_shadow(0.5),
    "hard_shadow_60": hard_shadow(0.6),
    "desk_around": desk_around,
    "desk_beside": desk_beside,
    "glare": glare,
    "white_pixel": white_pixel,
    "neighbour": neighbour,
    "pencil_on_grey": plain(_GREY_PAPER, _PENCIL, noise=4),
    "chalk": chalk,
    "yellow_marker": plain((252, 252, 250), (255, 240, 90)),
    "red_on_green": plain((110, 170, 110), (225, 95, 80)),
    "cropped": cropped,
    "small_plain": small_photo(None, _GRID, squares=False),
    "small_striped": small_photo((30, 60), _GRID, squares=False),
    "small_squared": small_photo((25, 50), _GRID, squares=True),
    "small_graph": small_photo((12, 22), (150, 195, 180), squares=True),
    "millimetre": millimetre,
    "crease": crease,
    "kraft": kraft,
}
