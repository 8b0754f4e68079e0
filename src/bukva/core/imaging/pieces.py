"""Which pieces of ink are the symbol's own: by how much ink they are, where, and how near.

Shapes: H x W pixels, h x w pixels of a symbol, P pieces.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from bukva.core.arrays import Float32Array
from bukva.errors import EmptyImageError, SeveralSymbolsError

_FAINT: Final = 0.3
"""Share of the contrast from which a pixel belongs to a piece."""
_CONTRAST_PERCENTILE: Final = 85
_NOISE_FACTOR: Final = 3.0
_LEAST_PX, _LEAST_SHARE = 10, 0.0001
_SCATTERED: Final = 0.05
_SPECK_SHARE: Final = 0.008
_FAINT_PIECE: Final = 0.45
_SOFT: Final = 0.3
_NEAR: Final = np.ones((3, 3), np.uint8)
_REACH_BESIDE, _REACH_ABOVE = 0.35, 0.9
"""How far from a symbol its other pieces stand, as shares of its longer side: dots, a breve."""
_OUTWARD: Final = 3.0
_AT_EDGE: Final = 0.25
_RIM: Final = 0.02
"""Of the picture's side: what comes as near to its edge is taken to go on beyond it."""
_OUTER: Final = 0.1
_OTHER_AREA, _OTHER_HEIGHT = 0.4, 0.5
_LINE_PIECES, _LINE_ASPECT = 4, 3.2


class SymbolPieces(NamedTuple):
    """The place of a symbol.

    Attributes:
        box: Its rows and columns.
        is_own_hw: Which pixels within belong to it.
    """

    box: tuple[slice, slice]
    is_own_hw: NDArray[np.bool_]


@dataclass(frozen=True)
class _Pieces:
    """Connected pieces of ink; number 0 is the paper.

    Attributes:
        number_HW: Which piece each pixel belongs to.
        boxes_P4: Top, left, bottom and right.
        is_soft_P: Whether its edges are much softer than those of others: shade, no stroke.
        area_P: In pixels.
        ink_P: Mean ink, as a share of the contrast.
        touches_P: Whether it goes on beyond the picture.
        gap_P: Distance from the picture's edge, as a share of its longer side.
        outward_P: Distance from the middle, as a share of the picture.
    """

    number_HW: NDArray[np.int32]
    boxes_P4: NDArray[np.int32]
    is_soft_P: NDArray[np.bool_]
    area_P: NDArray[np.float64]
    ink_P: NDArray[np.float64]
    touches_P: NDArray[np.bool_]
    gap_P: NDArray[np.float64]
    outward_P: NDArray[np.float64]


def choose_pieces(ink_HW: Float32Array, least_levels: float) -> SymbolPieces:
    """Return where the symbol of a picture is, without what lies beside it.

    Args:
        ink_HW: Levels by which each pixel is away from the paper.
        least_levels: By how many levels ink is away from it at least.

    Raises:
        EmptyImageError: If there is no ink, or nothing but noise.
        SeveralSymbolsError: If other symbols stand beside it, none at the picture's edge.
    """
    contrast, edge_HW = _find_contrast(ink_HW, least_levels), _measure_edges(ink_HW)
    pieces = _find_pieces(ink_HW, edge_HW, contrast)
    least_px = _least_px(ink_HW)
    if (pieces.area_P[pieces.is_soft_P] >= least_px).any():
        # There is shade, which may touch the symbol: what has an edge tells them apart.
        pieces = _find_pieces(ink_HW, edge_HW, _find_contrast_of_edges(ink_HW, edge_HW))
    weight_P = pieces.area_P * np.minimum(pieces.ink_P, 1) ** 2
    weight_P *= np.exp(-_OUTWARD * pieces.outward_P**2)
    weight_P[pieces.touches_P] *= _AT_EDGE
    weight_P[pieces.is_soft_P] = 0
    weight_P[0] = 0
    main = int(weight_P.argmax())
    all_px = pieces.area_P[1:][~pieces.is_soft_P[1:]].sum()
    if pieces.area_P[main] < max(least_px, _SCATTERED * all_px):
        raise _nothing_found()
    own, others = _gather(main, pieces)
    _refuse_several(main, own, others, pieces)
    top, left = pieces.boxes_P4[own, :2].min(axis=0)
    bottom, right = pieces.boxes_P4[own, 2:].max(axis=0)
    box = (slice(int(top), int(bottom)), slice(int(left), int(right)))
    is_own_P = np.zeros(len(pieces.area_P), dtype=bool)
    is_own_P[own] = True
    return SymbolPieces(box, is_own_P[pieces.number_HW[box]])


def _nothing_found() -> EmptyImageError:
    return EmptyImageError(
        "Expected ink that stands out from its paper, found none: the image is empty. Write the "
        "symbol larger or darker, or photograph it from nearer."
    )


def _find_contrast(ink_HW: Float32Array, least_levels: float) -> float:
    """Return how far ink is from the paper: neither one pixel nor the paper's grain decides."""
    grain = float(np.percentile(ink_HW[::2, ::2], 50))
    levels = ink_HW[ink_HW > max(least_levels, _NOISE_FACTOR * grain)]
    if len(levels) < _least_px(ink_HW):
        raise _nothing_found()
    contrast = np.percentile(levels, _CONTRAST_PERCENTILE)
    # Once more, of the stronger half: a smear on a board is wider than what is written on it.
    return float(np.percentile(levels[levels > contrast / 2], _CONTRAST_PERCENTILE))


def _least_px(ink_HW: Float32Array) -> float:
    """Return how many pixels of ink are more than noise."""
    return max(_LEAST_PX, _LEAST_SHARE * ink_HW.size)


def _find_contrast_of_edges(ink_HW: Float32Array, edge_HW: Float32Array) -> float:
    """Return how far ink is from the paper beside its sharpest edges."""
    count = int(_least_px(ink_HW))
    steep = np.partition(edge_HW.ravel(), -count)[-count] / 2
    return float(np.median(cv2.dilate(ink_HW, _NEAR)[edge_HW >= steep]))


def _measure_edges(ink_HW: Float32Array) -> Float32Array:
    return np.asarray(cv2.subtract(cv2.dilate(ink_HW, _NEAR), cv2.erode(ink_HW, _NEAR)))


def _find_pieces(ink_HW: Float32Array, edge_HW: Float32Array, contrast: float) -> _Pieces:
    height, width = ink_HW.shape
    is_ink_HW = (ink_HW > _FAINT * contrast).view(np.uint8)
    count, number_HW, stats_P5, centres_P2 = cv2.connectedComponentsWithStats(
        is_ink_HW, connectivity=8
    )
    left, top, wide, high, area_P = stats_P5.T
    boxes_P4 = np.stack([top, left, top + high, left + wide], axis=1)
    gaps_P4 = boxes_P4 * (1, 1, -1, -1) + (0, 0, height, width)
    gap_P = gaps_P4.min(axis=1) / max(height, width)
    sums_P = np.bincount(number_HW.ravel(), ink_HW.ravel(), minlength=count)
    return _Pieces(
        number_HW=np.asarray(number_HW),
        boxes_P4=boxes_P4,
        is_soft_P=_find_soft(edge_HW, np.asarray(number_HW), area_P),
        area_P=area_P.astype(np.float64),
        ink_P=sums_P / area_P / contrast,
        touches_P=gap_P <= _RIM,
        gap_P=gap_P,
        outward_P=np.hypot(*(centres_P2 / (width, height) - 0.5).T),
    )


def _find_soft(
    edge_HW: Float32Array, number_HW: NDArray[np.int32], area_P: NDArray[np.int32]
) -> NDArray[np.bool_]:
    """Return `(P,)`, for each piece whether no edge of it is as sharp as those of ink are."""
    edges, numbers = edge_HW.ravel(), number_HW.ravel()
    # The mean of the edges, each counted as often as it is steep: most of a piece is no edge.
    all_P = np.bincount(numbers, edges, len(area_P)).astype(np.float64)
    steep_P = np.bincount(numbers, edges**2, len(area_P)) / np.maximum(all_P, 1e-6)
    is_large_P = area_P >= _least_px(edge_HW)
    is_large_P[0] = False
    return np.asarray(steep_P < _SOFT * steep_P[is_large_P].max(initial=0))


def _gather(main: int, pieces: _Pieces) -> tuple[list[int], list[int]]:
    """Return the main piece with those that belong to it, and all others that are no specks."""
    is_speck_P = pieces.area_P < _SPECK_SHARE * pieces.area_P[main]
    is_speck_P |= pieces.ink_P < _FAINT_PIECE * pieces.ink_P[main]
    is_speck_P |= pieces.is_soft_P
    is_speck_P[[0, main]] = True
    own, others = [main], np.flatnonzero(~is_speck_P).tolist()
    box = pieces.boxes_P4[main]
    while near := [piece for piece in others if _belongs(piece, box, main, pieces)]:
        own += near
        others = [piece for piece in others if piece not in near]
        boxes_P4 = pieces.boxes_P4[own]
        box = np.concatenate([boxes_P4[:, :2].min(axis=0), boxes_P4[:, 2:].max(axis=0)])
    return own, others


def _belongs(piece: int, box: NDArray[np.int32], main: int, pieces: _Pieces) -> bool:
    top, left, bottom, right = pieces.boxes_P4[piece].tolist()
    own_top, own_left, own_bottom, own_right = box.tolist()
    beside = max(left - own_right, own_left - right, 0)
    above = max(top - own_bottom, own_top - bottom, 0)
    if pieces.touches_P[piece] and not pieces.touches_P[main] and beside + above > 0:
        return False
    # Of a neighbour in parts, not all go up to the edge.
    if beside and pieces.gap_P[piece] < _OUTER <= pieces.gap_P[main]:
        return False
    side = max(own_bottom - own_top, own_right - own_left)
    return bool(beside / _REACH_BESIDE + above / _REACH_ABOVE <= side)


def _refuse_several(main: int, own: list[int], others: list[int], pieces: _Pieces) -> None:
    height_P = pieces.boxes_P4[:, 2] - pieces.boxes_P4[:, 0]
    is_other = [
        pieces.area_P[piece] >= _OTHER_AREA * pieces.area_P[main]
        and height_P[piece] >= _OTHER_HEIGHT * height_P[main]
        and not pieces.touches_P[piece]
        for piece in others
    ]
    boxes_P4 = pieces.boxes_P4[own]
    high, wide = boxes_P4[:, 2:].max(axis=0) - boxes_P4[:, :2].min(axis=0)
    if any(is_other) or (len(own) >= _LINE_PIECES and wide > _LINE_ASPECT * high):
        raise SeveralSymbolsError(
            "Expected one symbol, found several side by side: send each in a picture of its own, "
            "or go nearer to the one that is meant."
        )
