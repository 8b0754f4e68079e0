"""How grey pixels were framed before paper was read: for the models that learnt from such frames.

One tone is the ground of the whole image, and the most extreme pixel is what full ink looks like.

Shapes: N images, H x W pixels, h x w pixels of a window with ink, B pixels of a border,
F page features, P connected pieces of ink.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from bukva.core.arrays import Float32Array, UInt8Array
from bukva.errors import EmptyImageError
from bukva.tasks.glyph.frame import (
    Box,
    Glyph,
    PageBox,
    Preprocessing,
    page_features,
    unknown_page,
)

_WORKING_SIDE_PX: Final = 256
_MIXED_BORDER_SHARE: Final = 0.1
_PIXELS_AT_ONCE: Final = 4_000_000
"""Of images that are worked on together: more is no faster, and the memory grows with it."""
_WITHIN_IMAGES: Final = np.stack([np.zeros((3, 3)), np.ones((3, 3)), np.zeros((3, 3))])
"""What touches what in a stack of images: pixels of one image, never those of two."""


def preprocess_as_before(
    greys: Sequence[UInt8Array], has_page: bool, constants: Preprocessing
) -> list[Glyph | EmptyImageError]:
    """Frame grey images: what small ones cost most by, those of one size do together.

    Args:
        greys: uint8 `(H, W)` each, dark on light or light on dark.
        has_page: Whether they are pages, so that size and place mean something.
        constants: Sizes and thresholds.

    Returns:
        For each image, in order, a glyph, or why there is none.
    """
    glyphs: dict[int, Glyph | EmptyImageError] = {}
    for places in _group_by_size(greys):
        greys_NHW = np.stack([_shrink(greys[place]) for place in places])
        glyphs |= zip(places, _frame_all(greys_NHW, has_page, constants), strict=True)
    return [glyphs[place] for place in range(len(greys))]


def _group_by_size(greys: Sequence[UInt8Array]) -> Iterator[list[int]]:
    """Yield the numbers of images of one size, no more at once than `_PIXELS_AT_ONCE`."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for place, grey_HW in enumerate(greys):
        groups.setdefault(grey_HW.shape, []).append(place)
    for (height, width), places in groups.items():
        count = max(1, _PIXELS_AT_ONCE // min(height * width, _WORKING_SIDE_PX**2))
        yield from (places[start : start + count] for start in range(0, len(places), count))


def _shrink(grey_HW: UInt8Array) -> UInt8Array:
    """Average large images down: 256 px hold more than a 20 px symbol needs."""
    factor = -(-max(grey_HW.shape) // _WORKING_SIDE_PX)
    if factor <= 1:
        return grey_HW
    return np.asarray(Image.fromarray(grey_HW).reduce(factor))


def _frame_all(
    greys_NHW: UInt8Array, has_page: bool, constants: Preprocessing
) -> Iterator[Glyph | EmptyImageError]:
    """Yield what becomes of each of N images of one size."""
    low_N, high_N = greys_NHW.min(axis=(1, 2)), greys_NHW.max(axis=(1, 2))
    ground_N = _find_grounds(greys_NHW, low_N, high_N)
    darker_N, lighter_N = ground_N - low_N, high_N - ground_N
    contrast_N = np.maximum(darker_N, lighter_N)
    has_ink_N = contrast_N >= constants.min_contrast
    slope_N = np.where(darker_N >= lighter_N, -1.0, 1.0)[has_ink_N] / contrast_N[has_ink_N]
    inks = _cut_out(greys_NHW[has_ink_N], ground_N[has_ink_N], slope_N, has_page, constants)
    for contrast, has_ink in zip(contrast_N.tolist(), has_ink_N.tolist(), strict=True):
        yield next(inks) if has_ink else _describe_empty(contrast, constants)


def _cut_out(
    greys_NHW: UInt8Array,
    ground_N: NDArray[np.float64],
    slope_N: NDArray[np.float64],
    has_page: bool,
    constants: Preprocessing,
) -> Iterator[Glyph]:
    """Yield the framed symbols of images that have ink."""
    if not len(greys_NHW):
        return
    ink_NV = _ink_of_tones(ground_N, slope_N)
    is_ink_NHW = _find_ink(greys_NHW, ink_NV > constants.ink_threshold, slope_N < 0)
    page, boxes = Box(0, 0, *is_ink_NHW.shape[1:]), _ink_boxes(is_ink_NHW)
    foreign = _find_foreign_pieces(is_ink_NHW, boxes, page, constants)
    for place, is_foreign_HW in foreign.items():
        [boxes[place]] = _ink_boxes(is_ink_NHW[place : place + 1] & ~is_foreign_HW)
    for place, box in enumerate(boxes):
        ink_HW = ink_NV[place][greys_NHW[place][box.pixels]]
        if place in foreign:
            ink_HW[foreign[place][box.pixels]] = 0.0
        page_F = page_features(box, page, constants) if has_page else unknown_page()
        frame_HW, frame_box = _frame(ink_HW, box, page, constants)
        yield Glyph(frame_HW, page_F, frame_box)


def _ink_of_tones(ground_N: NDArray[np.float64], slope_N: NDArray[np.float64]) -> Float32Array:
    """Return `(N, 256)`, how much ink each tone is on each ground, 0..1.

    That is its distance from the ground towards whichever side stands out more. Tones are few: to
    work this out for all of them takes less than for the pixels of one image.
    """
    ink_NV = np.arange(256, dtype=np.float32) - ground_N.astype(np.float32)[:, None]
    ink_NV *= slope_N.astype(np.float32)[:, None]
    np.maximum(ink_NV, 0.0, out=ink_NV)
    return ink_NV


def _find_ink(
    greys_NHW: UInt8Array, is_ink_NV: NDArray[np.bool_], is_dark_N: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return for each pixel whether its tone is ink: the darkest are, or the lightest."""
    flip_N = np.where(is_dark_N, np.uint8(255), np.uint8(0))
    first_N = (256 - is_ink_NV.sum(axis=1)).astype(np.uint8)
    is_ink_NHW: NDArray[np.bool_] = (greys_NHW ^ flip_N[:, None, None]) >= first_N[:, None, None]
    return is_ink_NHW


def _describe_empty(contrast: float, constants: Preprocessing) -> EmptyImageError:
    return EmptyImageError(
        f"Expected ink that differs from its ground by {constants.min_contrast} of 255 grey "
        f"levels, got {contrast:.0f}: the image is empty."
    )


def _find_grounds(
    greys_NHW: UInt8Array, low_N: UInt8Array, high_N: UInt8Array
) -> NDArray[np.float64]:
    """Return the tone of each border, or of the whole where much ink touches the border.

    A Г or П cut out without a margin has more ink than ground along its edges.
    """
    sides = (greys_NHW[:, 0], greys_NHW[:, -1], greys_NHW[:, :, 0], greys_NHW[:, :, -1])
    border_NB = np.concatenate(sides, axis=1)
    ground_N = _medians(border_NB)
    contrast_N = np.maximum(ground_N - low_N, high_N - ground_N)
    is_far_NB = np.abs(border_NB - ground_N[:, None]) > contrast_N[:, None] / 2
    is_mixed_N = is_far_NB.mean(axis=1) > _MIXED_BORDER_SHARE
    if is_mixed_N.any():
        ground_N[is_mixed_N] = _medians(greys_NHW[is_mixed_N].reshape(is_mixed_N.sum(), -1))
    return ground_N


def _medians(values_NB: UInt8Array) -> NDArray[np.float64]:
    """Return the median of each row: `np.median` takes longer than to sort single bytes does."""
    ordered_NB = np.sort(values_NB, axis=1, kind="stable")
    count = values_NB.shape[1]
    middle_N2 = ordered_NB[:, [(count - 1) // 2, count // 2]]
    medians_N: NDArray[np.float64] = middle_N2.mean(axis=1)
    return medians_N


def _find_foreign_pieces(
    is_ink_NHW: NDArray[np.bool_], boxes: Sequence[Box], page: Box, constants: Preprocessing
) -> dict[int, NDArray[np.bool_]]:
    """Return, by the number of its image, which pixels `(H, W)` are no part of the symbol.

    Images of which all ink is the symbol's, most of them, have none.
    """
    # To number pieces takes time for each pixel: outside of all boxes there is none.
    tops, lefts, bottoms, rights = zip(*boxes, strict=True)
    window = Box(min(tops), min(lefts), max(bottoms), max(rights))
    pieces_NHW, count = ndimage.label(is_ink_NHW[:, *window.pixels], structure=_WITHIN_IMAGES)
    if count == len(is_ink_NHW):  # each has one at least
        return {}
    # Pieces are numbered from image to image, from 1 on.
    last_N = pieces_NHW.max(axis=(1, 2))
    foreign = {}
    for place in np.flatnonzero(np.diff(last_N, prepend=0) > 1).tolist():
        before = last_N[place - 1] if place else 0
        pieces_hw = np.maximum(pieces_NHW[place] - before, 0)
        is_foreign_P = _find_foreign(pieces_hw, window, page, constants)
        # A symbol of many dots (a stamp, a dot matrix) has none that is not small: all are kept.
        if is_foreign_P.any() and not is_foreign_P.all():
            foreign[place] = np.zeros((page.height, page.width), dtype=bool)
            foreign[place][window.pixels] = _paint(pieces_hw, is_foreign_P)
    return foreign


def _find_foreign(
    pieces_hw: NDArray[np.signedinteger], window: Box, page: Box, constants: Preprocessing
) -> NDArray[np.bool_]:
    """Return `(P,)`, for each piece whether it is a speck, or the edge of a scan."""
    area_P = np.bincount(pieces_hw.ravel())[1:]
    is_bar_P = _find_bars(pieces_hw, window, page, constants)
    found_P: NDArray[np.bool_] = is_bar_P | (
        area_P < constants.speck_share * area_P[~is_bar_P].sum()
    )
    return found_P


def _paint(
    pieces_hw: NDArray[np.signedinteger], is_foreign_P: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return where foreign pieces are, and their faint rims."""
    is_foreign_hw = np.concatenate([[False], is_foreign_P])[pieces_hw]
    is_rim_hw = ndimage.binary_dilation(is_foreign_hw, iterations=2) & (pieces_hw == 0)
    found_hw: NDArray[np.bool_] = is_foreign_hw | is_rim_hw
    return found_hw


def _find_bars(
    pieces_hw: NDArray[np.signedinteger], window: Box, page: Box, constants: Preprocessing
) -> NDArray[np.bool_]:
    """Return `(P,)`, for each piece whether it is a thin bar from edge to edge of a page.

    The stem of a К cut out without a margin is one too, so nothing is a bar unless all other
    pieces keep away from the edges that it touches.
    """
    is_bar_P = np.zeros(pieces_hw.max(), dtype=bool)
    sides, corner = (page.height, page.width), (window.top, window.left)
    if window.height < sides[0] - 2 * (sides[0] // 50) and (
        window.width < sides[1] - 2 * (sides[1] // 50)
    ):
        return is_bar_P  # no ink goes so far
    boxes = ndimage.find_objects(pieces_hw)
    boxes_P22 = np.array([[(axis.start, axis.stop) for axis in box] for box in boxes])
    boxes_P22 += np.array(corner)[:, None]
    for along, across in ((0, 1), (1, 0)):
        edge_px = sides[along] // 50
        gaps_P2 = np.abs(boxes_P22[:, along] - (0, sides[along]))
        spans_P = gaps_P2.max(axis=1) <= edge_px
        if edge_px and (gaps_P2[~spans_P] > 2 * edge_px).all():
            thickness_P = np.diff(boxes_P22[:, across])[:, 0]
            is_bar_P |= spans_P & (thickness_P <= constants.bar_width_share * sides[across])
    return is_bar_P


def _ink_boxes(is_ink_NHW: NDArray[np.bool_]) -> list[Box]:
    """Return the box of each image's ink."""
    is_row_NH: NDArray[np.bool_] = np.logical_or.reduce(is_ink_NHW, axis=2)
    is_column_NW: NDArray[np.bool_] = np.logical_or.reduce(is_ink_NHW, axis=1)
    _, height, width = is_ink_NHW.shape
    edges = (
        is_row_NH.argmax(axis=1),
        is_column_NW.argmax(axis=1),
        height - is_row_NH[:, ::-1].argmax(axis=1),
        width - is_column_NW[:, ::-1].argmax(axis=1),
    )
    return [Box(*box) for box in np.stack(edges, axis=1).tolist()]


def _frame(
    ink_HW: Float32Array, box: Box, page: Box, constants: Preprocessing
) -> tuple[UInt8Array, PageBox]:
    """Scale the boxed ink by an area filter and put its centre of mass into the middle."""
    scale = constants.symbol_px / max(box.height, box.width)
    height = max(1, round(box.height * scale))
    width = max(1, round(box.width * scale))
    resampling = Image.Resampling.BOX if scale <= 1 else Image.Resampling.BICUBIC
    resized = Image.fromarray(ink_HW).resize((width, height), resampling)
    symbol_HW = np.maximum(np.asarray(resized), 0.0)
    symbol_HW = symbol_HW / symbol_HW.max()
    top, left = (_centred_start(symbol_HW.sum(axis), constants.frame_px) for axis in (1, 0))
    frame_HW = np.zeros((constants.frame_px, constants.frame_px), dtype=np.uint8)
    frame_HW[top : top + height, left : left + width] = (symbol_HW * 255).round()
    # What one pixel of the frame is of the page's sides.
    down, across = box.height / height / page.height, box.width / width / page.width
    frame_box = PageBox(
        left=box.left / page.width - left * across,
        top=box.top / page.height - top * down,
        width=constants.frame_px * across,
        height=constants.frame_px * down,
    )
    return frame_HW, frame_box


def _centred_start(profile: NDArray[np.floating], frame_px: int) -> int:
    """Return where a profile of ink starts so that its centre of mass is the frame's middle."""
    weights = profile.astype(np.float64)
    centre = float((weights * np.arange(len(weights))).sum() / weights.sum())
    return min(max(round(frame_px / 2 - centre), 0), frame_px - len(weights))
