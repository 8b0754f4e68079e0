"""The middle line of a shape, as the strokes of the pen that might have drawn it.

Shapes: H x W pixels, N points of a stroke, 2 = (x, y).
"""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from bukva.core.arrays import BoolArray, UInt8Array

FloatArray: TypeAlias = NDArray[np.float64]
Pixel: TypeAlias = tuple[int, int]
Graph: TypeAlias = Mapping[Pixel, list[Pixel]]
Stroke: TypeAlias = list[Pixel]

_BITS_33: Final = np.array([[128, 1, 2], [64, 0, 4], [32, 16, 8]], dtype=np.float32)
"""One bit for each neighbour of a pixel, clockwise from the one above."""


def find_strokes(is_ink_HW: BoolArray) -> list[FloatArray]:
    """Return the middle lines of a shape, `(N, 2)` in pixels each, cut where they meet.

    A dot gives a short line. Lines end half their width before the ink does.

    Args:
        is_ink_HW: The shape, in lines some pixels wide.
    """
    if not is_ink_HW.any():
        return []
    left, top, width, height = cv2.boundingRect(is_ink_HW.astype(np.uint8))
    cut_HW = is_ink_HW[top : top + height, left : left + width]
    shape_HW = np.pad(cut_HW, 1).astype(np.uint8)
    half_width_HW = np.asarray(cv2.distanceTransform(shape_HW, cv2.DIST_L2, 5), np.float32)
    pixels = {(int(x), int(y)) for y, x in np.argwhere(thin(shape_HW))}
    corner_2 = np.array([left - 1, top - 1])
    strokes = _walk(_connect(pixels))
    return [_to_points(stroke, half_width_HW) + corner_2 for stroke in strokes]


def thin(shape_HW: UInt8Array) -> UInt8Array:
    """Return the shape, 0 and 1, thinned to lines of one pixel (Zhang and Suen 1984).

    With the change of Lu and Wang (1986), without which slanted lines of two pixels are eaten away
    from their ends. Small shapes may go altogether; of these a pixel in the middle is left.
    """
    thin_HW = shape_HW.copy()
    has_changed = True
    while has_changed:
        has_changed = False
        for removes_256 in _REMOVES:
            around_HW = cv2.filter2D(thin_HW, -1, _BITS_33, borderType=cv2.BORDER_CONSTANT)
            removed_HW = removes_256[around_HW] & thin_HW
            thin_HW ^= removed_HW
            has_changed |= bool(removed_HW.any())
    count, part_HW, _, centres_C2 = cv2.connectedComponentsWithStats(shape_HW)
    for part in set(range(1, count)) - set(np.unique(part_HW[thin_HW > 0]).tolist()):
        x, y = np.rint(centres_C2[part]).astype(int)
        thin_HW[y, x] = 1
    return thin_HW


def _tabulate(*triples: tuple[int, int, int]) -> UInt8Array:
    """Return `(256,)`: by the neighbours of a pixel, whether a half step takes it away."""
    bits = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little")
    count = bits.sum(axis=1)
    rises = ((bits == 0) & (np.roll(bits, -1, axis=1) == 1)).sum(axis=1)
    is_edge = np.all([~bits[:, triple].all(axis=1) for triple in triples], axis=0)
    table: UInt8Array = ((count >= 3) & (count <= 6) & (rises == 1) & is_edge).astype(np.uint8)
    return table


_ABOVE, _RIGHT, _BELOW, _LEFT = 0, 2, 4, 6
_REMOVES: Final = (
    _tabulate((_ABOVE, _RIGHT, _BELOW), (_RIGHT, _BELOW, _LEFT)),
    _tabulate((_ABOVE, _RIGHT, _LEFT), (_ABOVE, _BELOW, _LEFT)),
)


def _connect(pixels: Iterable[Pixel]) -> Graph:
    """Return the neighbours of each pixel: diagonal ones only where no straight way leads there."""
    known = set(pixels)
    graph: dict[Pixel, list[Pixel]] = {}
    for x, y in sorted(known):
        near = [step for step in ((0, -1), (1, 0), (0, 1), (-1, 0)) if _move(x, y, step) in known]
        for step in ((1, -1), (1, 1), (-1, 1), (-1, -1)):
            has_way = (step[0], 0) in near or (0, step[1]) in near
            if _move(x, y, step) in known and not has_way:
                near.append(step)
        graph[x, y] = [_move(x, y, step) for step in near]
    return graph


def _move(x: int, y: int, step: Pixel) -> Pixel:
    return x + step[0], y + step[1]


def _walk(graph: Graph) -> list[Stroke]:
    """Return ways along the lines, from end or crossing to the next; then closed ones."""
    crossings = [pixel for pixel, near in graph.items() if len(near) != 2]
    walked: set[frozenset[Pixel]] = set()
    strokes = [[pixel] for pixel in crossings if not graph[pixel]]
    for start in [*crossings, *graph]:
        for second in graph[start]:
            if frozenset((start, second)) not in walked:
                stroke = _follow(graph, start, second)
                walked |= {frozenset(step) for step in pairwise(stroke)}
                strokes.append(stroke)
    return strokes


def _follow(graph: Graph, start: Pixel, second: Pixel) -> Stroke:
    stroke = [start, second]
    while len(graph[stroke[-1]]) == 2 and stroke[-1] != start:
        one, other = graph[stroke[-1]]
        stroke.append(other if one == stroke[-2] else one)
    return stroke


def _to_points(stroke: Stroke, half_width_HW: NDArray[np.float32]) -> FloatArray:
    if len(stroke) > 1:
        return np.array(stroke, dtype=np.float64)
    ((x, y),) = stroke
    reach = max(0.5, float(half_width_HW[y, x]) / 2)
    return np.array([[x - reach, y], [x + reach, y]], dtype=np.float64)
