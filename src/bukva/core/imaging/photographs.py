"""Handwriting as a phone sees it: set on a sheet, lit, disturbed, photographed and compressed.

A style says all that can be told before the symbol is known; whatever is random beyond it (grain,
clouds, noise) comes from the generator. The same seed gives the same pictures.

Shapes: N pictures, C channels (RGB, 0..1), H x W pixels.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import cv2
import numpy as np

from bukva.core.arrays import Float32Array, UInt8Array
from bukva.core.imaging.camera import (
    CameraStyle,
    LightStyle,
    draw_camera_style,
    draw_light_style,
    expose,
    light_sheet,
)
from bukva.core.imaging.dirt import DIRT, DIRT_SHARES
from bukva.core.imaging.painting import blend, draw_log
from bukva.core.imaging.papers import (
    DeskStyle,
    SheetStyle,
    draw_desk_style,
    draw_sheet,
    draw_sheet_style,
    lay_on_desk,
)
from bukva.core.imaging.pens import (
    PenStyle,
    change_width,
    draw_pen_style,
    enlarge_frame,
    write_ink,
)


class PhotoStyle(NamedTuple):
    """A photograph of one symbol.

    Attributes:
        shape: Height and width of the picture.
        symbol: Longer side of the symbol, as a share of the picture's shorter side.
        place: Of the symbol in what the picture leaves it, downwards and to the right, 0..1.
        sheet: What it is written on.
        pen: What it is written with.
        desk: What is seen around the sheet; None for nothing.
        light: How it is lit.
        camera: What becomes of it.
        neighbour: At which side another symbol reaches in, 0..3; None for nowhere.
        dirt: Names of what else is in the picture, of `DIRT_SHARES`.
    """

    shape: tuple[int, int]
    symbol: float
    place: tuple[float, float]
    sheet: SheetStyle
    pen: PenStyle
    desk: DeskStyle | None
    light: LightStyle
    camera: CameraStyle
    neighbour: int | None
    dirt: tuple[str, ...]


_LEAST_DRAWN_PX: Final = 96
"""A picture smaller than this is drawn larger, then shrunk, as a lens and a sensor do."""


def draw_photo_style(rng: np.random.Generator, side_px: tuple[int, int] = (32, 320)) -> PhotoStyle:
    """Return a random style, wide enough to train on.

    Args:
        rng: Of all that is drawn.
        side_px: Limits of the picture's shorter side, at most 480.
    """
    shorter = round(draw_log(rng, *side_px))
    longer = round(shorter * rng.uniform(1.0, 1.3)) if rng.random() < 0.3 else shorter
    sheet = draw_sheet_style(rng)
    return PhotoStyle(
        shape=(shorter, longer) if rng.random() < 0.5 else (longer, shorter),
        symbol=rng.uniform(0.3, 0.95) if shorter >= 64 else rng.uniform(0.5, 0.95),
        place=(rng.random(), rng.random()),
        sheet=sheet,
        pen=draw_pen_style(rng, sheet),
        desk=draw_desk_style(rng) if rng.random() < 0.15 else None,
        light=draw_light_style(rng),
        camera=draw_camera_style(rng),
        neighbour=int(rng.integers(4)) if rng.random() < 0.15 else None,
        dirt=tuple(name for name, share in DIRT_SHARES.items() if rng.random() < share),
    )


def photograph_frames(
    frames_NHW: UInt8Array,
    seed: int,
    indices_N: Sequence[int] | None = None,
    neighbours_MHW: UInt8Array | None = None,
    side_px: tuple[int, int] = (32, 320),
) -> list[UInt8Array]:
    """Return photographs of framed symbols, each with a style of its own.

    Each has a generator of its own, of the seed and its index: in which parts they are made
    changes nothing.

    Args:
        frames_NHW: uint8, ink high on zero; an empty frame gives an empty sheet.
        seed: Not negative.
        indices_N: One for each frame; by default its number.
        neighbours_MHW: Frames to take symbols from that reach into the picture or shine through;
            without, the symbol itself, upside down.
        side_px: Limits of the picture's shorter side, at most 480.

    Returns:
        For each frame a picture RGB `(H, W, 3)`, of any size.
    """
    indices = range(len(frames_NHW)) if indices_N is None else indices_N
    pictures = []
    for frame_HW, index in zip(frames_NHW, indices, strict=True):
        rng = np.random.default_rng((seed, int(index)))
        style = draw_photo_style(rng, side_px)
        longest_px = _symbol_px(style)
        if neighbours_MHW is None:
            other_HW = frame_HW[::-1]
        else:
            other_HW = neighbours_MHW[rng.integers(len(neighbours_MHW))]
        ink_HW = enlarge_frame(frame_HW, longest_px, rng)
        other_HW = enlarge_frame(np.ascontiguousarray(other_HW), longest_px, rng)
        pictures.append(photograph(ink_HW, style, rng, other_HW))
    return pictures


def photograph(
    ink_HW: Float32Array | UInt8Array,
    style: PhotoStyle,
    rng: np.random.Generator,
    other_HW: Float32Array | UInt8Array | None = None,
) -> UInt8Array:
    """Return a photograph of a symbol.

    Args:
        ink_HW: Its ink, cut out, 0..1 or uint8, ink high on zero.
        style: What it is set on, and how it is photographed.
        rng: Of grain, clouds and noise.
        other_HW: The ink of another symbol, for what reaches into the picture or shines through.

    Returns:
        Picture RGB `(H, W, 3)`, uint8, of the style's shape.
    """
    shape = _drawn_shape(style)
    longest_px = _symbol_px(style)
    symbol_HW = _to_size(ink_HW, longest_px)
    other = symbol_HW[::-1, ::-1] if other_HW is None else _to_size(other_HW, longest_px)
    top, left = (
        round(place * (side - length))
        for place, side, length in zip(style.place, shape, symbol_HW.shape, strict=True)
    )
    page_HW = np.zeros(shape, dtype=np.float32)
    _put(page_HW, symbol_HW, top, left)
    if style.neighbour is not None:
        _put(page_HW, other, *_beside(style.neighbour, other.shape, shape, rng))
    page_HW = change_width(page_HW, style.pen.thicker * longest_px)
    picture_CHW = draw_sheet(style.sheet, shape, longest_px, rng)
    if "bleed" in style.dirt:
        _shine_through(picture_CHW, other, style.pen, rng)
    write_ink(picture_CHW, page_HW, style.pen, rng)
    if style.desk is not None:
        box = (top, top + symbol_HW.shape[0], left, left + symbol_HW.shape[1])
        lay_on_desk(picture_CHW, style.desk, box, rng)
    for name in style.dirt:
        if name in DIRT:
            DIRT[name](picture_CHW, longest_px, rng)
    light_sheet(picture_CHW, style.light, rng)
    has_dead_pixel = "pixel" in style.dirt
    return expose(picture_CHW, style.camera, style.shape, rng, has_dead_pixel=has_dead_pixel)


def _drawn_shape(style: PhotoStyle) -> tuple[int, int]:
    height, width = style.shape
    factor = -(-_LEAST_DRAWN_PX // min(style.shape))
    return height * factor, width * factor


def _symbol_px(style: PhotoStyle) -> int:
    """Return the longer side of the symbol as it is drawn."""
    return max(8, round(style.symbol * min(_drawn_shape(style))))


def _to_size(ink_HW: Float32Array | UInt8Array, longest_px: int) -> Float32Array:
    """Return ink 0..1 with the longer side as asked."""
    height, width = ink_HW.shape
    scale = longest_px / max(height, width)
    symbol_HW = ink_HW.astype(np.float32)
    if ink_HW.dtype == np.uint8:
        symbol_HW *= np.float32(1 / 255)
    if scale == 1:
        return symbol_HW
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(symbol_HW, size, interpolation=how))


def _put(page_HW: Float32Array, symbol_HW: Float32Array, top: int, left: int) -> None:
    """Lay a symbol on a page that need not hold all of it, in place."""
    rows = slice(max(top, 0), min(top + symbol_HW.shape[0], page_HW.shape[0]))
    columns = slice(max(left, 0), min(left + symbol_HW.shape[1], page_HW.shape[1]))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return
    piece_HW = symbol_HW[
        rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
    ]
    np.maximum(page_HW[rows, columns], piece_HW, out=page_HW[rows, columns])


def _beside(
    side: int, size: Sequence[int], shape: tuple[int, int], rng: np.random.Generator
) -> tuple[int, int]:
    """Return the top left corner of a symbol of which a part reaches in at one side."""
    axis, is_far = divmod(side, 2)
    corner = [round(rng.uniform(-0.2, 0.8) * (shape[at] - 0.5 * size[at])) for at in (0, 1)]
    inside = round(rng.uniform(0.08, 0.4) * size[axis])
    corner[axis] = shape[axis] - inside if is_far else inside - size[axis]
    return corner[0], corner[1]


def _shine_through(
    picture_CHW: Float32Array, other_HW: Float32Array, pen: PenStyle, rng: np.random.Generator
) -> None:
    """Let the back of the sheet be seen, faint and blurred, in place."""
    page_HW = np.zeros_like(picture_CHW[0])
    height, width = other_HW.shape
    top = int(rng.integers(-height // 2, max(1, page_HW.shape[0] - height // 2)))
    left = int(rng.integers(-width // 2, max(1, page_HW.shape[1] - width // 2)))
    _put(page_HW, other_HW[:, ::-1], top, left)
    faint_HW = cv2.GaussianBlur(page_HW, (0, 0), 1.5) * np.float32(rng.uniform(0.03, 0.12))
    blend(picture_CHW, faint_HW, pen.colour)
