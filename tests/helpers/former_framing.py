"""Framing as revision d10ac51 did it: with ink as a number for each pixel of the whole page.

Kept to compare with: what is framed now must be the same to the bit.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from bukva.core.arrays import Float32Array, UInt8Array
from bukva.tasks.glyph.former_preprocessing import _centred_start, _find_grounds, _shrink
from bukva.tasks.glyph.frame import Box, Glyph, PageBox, Preprocessing, unknown_page

_WITHIN_IMAGES: Final = np.stack([np.zeros((3, 3)), np.ones((3, 3)), np.zeros((3, 3))])
"""What touches what in a stack of images: pixels of one image, never those of two."""


def frame_as_before(grey_HW: UInt8Array, has_page: bool, constants: Preprocessing) -> Glyph | None:
    """The framed symbol of an image; None where it has no ink."""
    greys_NHW = _shrink(grey_HW)[None]
    low_N, high_N = greys_NHW.min(axis=(1, 2)), greys_NHW.max(axis=(1, 2))
    ground_N = _find_grounds(greys_NHW, low_N, high_N)
    darker_N, lighter_N = ground_N - low_N, high_N - ground_N
    contrast_N = np.maximum(darker_N, lighter_N)
    if contrast_N[0] < constants.min_contrast:
        return None
    slope_N = np.where(darker_N >= lighter_N, -1.0, 1.0) / contrast_N
    [glyph] = _cut_out(greys_NHW, ground_N, slope_N, has_page, constants)
    return glyph


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
    # Ink 0..1: distance from the ground towards whichever side stands out more.
    ink_NHW = greys_NHW.astype(np.float32)
    ink_NHW -= ground_N.astype(np.float32)[:, None, None]
    ink_NHW *= slope_N.astype(np.float32)[:, None, None]
    np.maximum(ink_NHW, 0.0, out=ink_NHW)
    _drop_foreign_pieces(ink_NHW, constants)
    for ink_HW, box in zip(ink_NHW, _ink_boxes(ink_NHW, constants), strict=True):
        page_F = _page_features(box, ink_HW.shape, constants) if has_page else unknown_page()
        frame_HW, frame_box = _frame(ink_HW, box, constants)
        yield Glyph(frame_HW, page_F, frame_box)


def _drop_foreign_pieces(ink_NHW: Float32Array, constants: Preprocessing) -> None:
    """Blank, in place, connected pieces that are no part of the symbol, image by image."""
    pieces_NHW, _ = ndimage.label(ink_NHW > constants.ink_threshold, structure=_WITHIN_IMAGES)
    # Pieces are numbered from image to image, from 1 on; each image has one at least.
    last_N = pieces_NHW.max(axis=(1, 2))
    for place in np.flatnonzero(np.diff(last_N, prepend=0) > 1):
        before = last_N[place - 1] if place else 0
        pieces_HW = np.maximum(pieces_NHW[place] - before, 0)
        ink_NHW[place] = _drop_foreign(ink_NHW[place], pieces_HW, constants)


def _drop_foreign(
    ink_HW: Float32Array, pieces_HW: NDArray[np.signedinteger], constants: Preprocessing
) -> Float32Array:
    """Blank connected pieces that are no part of the symbol: specks, and edges of the scan."""
    area_P = np.bincount(pieces_HW.ravel())[1:]
    is_bar_P = _find_bars(pieces_HW, constants)
    is_speck_P = area_P < constants.speck_share * area_P[~is_bar_P].sum()
    is_foreign_P = is_bar_P | is_speck_P
    # A symbol of many dots (a stamp, a dot matrix) has no piece that is not small: all are kept.
    if not is_foreign_P.any() or is_foreign_P.all():
        return ink_HW
    is_foreign_HW = np.concatenate([[False], is_foreign_P])[pieces_HW]
    # The faint rim of a speck goes with it.
    is_rim_HW = ndimage.binary_dilation(is_foreign_HW, iterations=2) & (pieces_HW == 0)
    return np.where(is_foreign_HW | is_rim_HW, np.float32(0.0), ink_HW)


def _find_bars(pieces_HW: NDArray[np.signedinteger], constants: Preprocessing) -> NDArray[np.bool_]:
    """Return `(P,)`, for each piece whether it is a thin bar from edge to edge of a page.

    The stem of a К cut out without a margin is one too, so nothing is a bar unless all other
    pieces keep away from the edges that it touches.
    """
    boxes = ndimage.find_objects(pieces_HW)
    boxes_P22 = np.array([[(axis.start, axis.stop) for axis in box] for box in boxes])
    is_bar_P = np.zeros(len(boxes_P22), dtype=bool)
    for along, across in ((0, 1), (1, 0)):
        edge_px = pieces_HW.shape[along] // 50
        gaps_P2 = np.abs(boxes_P22[:, along] - (0, pieces_HW.shape[along]))
        spans_P = gaps_P2.max(axis=1) <= edge_px
        if edge_px and (gaps_P2[~spans_P] > 2 * edge_px).all():
            thickness_P = np.diff(boxes_P22[:, across])[:, 0]
            is_bar_P |= spans_P & (
                thickness_P <= constants.bar_width_share * pieces_HW.shape[across]
            )
    return is_bar_P


def _ink_boxes(ink_NHW: Float32Array, constants: Preprocessing) -> list[Box]:
    """Return the box of each image's ink."""
    is_ink_NHW = ink_NHW > constants.ink_threshold
    is_row_NH: NDArray[np.bool_] = np.logical_or.reduce(is_ink_NHW, axis=2)
    is_column_NW: NDArray[np.bool_] = np.logical_or.reduce(is_ink_NHW, axis=1)
    _, height, width = ink_NHW.shape
    edges = (
        is_row_NH.argmax(axis=1),
        is_column_NW.argmax(axis=1),
        height - is_row_NH[:, ::-1].argmax(axis=1),
        width - is_column_NW[:, ::-1].argmax(axis=1),
    )
    return [Box(*box) for box in np.stack(edges, axis=1).tolist()]


def _page_features(box: Box, shape: tuple[int, ...], constants: Preprocessing) -> Float32Array:
    height, width = shape
    if box.height > constants.page_margin * height and box.width > constants.page_margin * width:
        return unknown_page()
    center_x, center_y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    side = max(height, width)
    return np.array([box.height, box.width, center_x, center_y], dtype=np.float32) / np.float32(
        side
    )


def _frame(ink_HW: Float32Array, box: Box, constants: Preprocessing) -> tuple[UInt8Array, PageBox]:
    """Scale the boxed ink by an area filter and put its centre of mass into the middle."""
    scale = constants.symbol_px / max(box.height, box.width)
    height = max(1, round(box.height * scale))
    width = max(1, round(box.width * scale))
    cropped = Image.fromarray(ink_HW[box.top : box.bottom, box.left : box.right])
    resampling = Image.Resampling.BOX if scale <= 1 else Image.Resampling.BICUBIC
    symbol_HW = np.maximum(np.asarray(cropped.resize((width, height), resampling)), 0.0)
    symbol_HW = symbol_HW / symbol_HW.max()
    top, left = (_centred_start(symbol_HW.sum(axis), constants.frame_px) for axis in (1, 0))
    frame_HW = np.zeros((constants.frame_px, constants.frame_px), dtype=np.uint8)
    frame_HW[top : top + height, left : left + width] = (symbol_HW * 255).round()
    # What one pixel of the frame is of the page's sides.
    down, across = box.height / height / ink_HW.shape[0], box.width / width / ink_HW.shape[1]
    frame_box = PageBox(
        left=box.left / ink_HW.shape[1] - left * across,
        top=box.top / ink_HW.shape[0] - top * down,
        width=constants.frame_px * across,
        height=constants.frame_px * down,
    )
    return frame_HW, frame_box
