"""From the ink of a picture to its pieces, and from a piece to what the network takes.

Lines are found by a projection profile, once the picture is sheared so that they lie level. A piece
is what stands together on a line, and is no longer than the network sees at once.

Shapes: H x W pixels of a picture, h x w of a piece.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from bukva.core.arrays import BoolArray, Float32Array, UInt8Array

_IS_INK: Final = 0.4
_MOST_PIECES: Final = 48
_LEAST_LINE: Final = 0.4  # of the usual height of a line
_LEAST_LINE_PX: Final = 5
_GAP: Final = 1.5  # of a line's height: what is farther apart does not stand together
_LONG_RULE: Final = 0.25  # of the picture's width
_LEAST_SLOPED_PX: Final = 160
_BANDS: Final = 24
_MOST_SLOPE, _SLOPE_STEP = 0.08, 0.005
_CLEARLY: Final = 1.05
_STEADY: Final = 0.6
"""Of the heights of its neighbours: how deep a valley between two lines that touch must be."""


class Frame(NamedTuple):
    """How a piece lies in what the network takes: constants of a model.

    Attributes:
        height: Pixels.
        width: Pixels; what is longer is cut into pieces.
        margin: Above and below the ink, as a share of the height.
    """

    height: int = 64
    width: int = 512
    margin: float = 0.06

    def to_spec(self) -> dict[str, Any]:
        """Return what stands in a model's specification."""
        return self._asdict()

    @classmethod
    def from_spec(cls, values: Mapping[str, Any]) -> "Frame":
        """Return the constants of a model."""
        return cls(int(values["height"]), int(values["width"]), float(values["margin"]))


class Piece(NamedTuple):
    """A box on the picture, in pixels, and its line."""

    top: int
    left: int
    bottom: int
    right: int
    line: int

    def cut_out(self, ink_HW: Float32Array) -> Float32Array:
        """Return the ink of the piece."""
        return ink_HW[self.top : self.bottom, self.left : self.right]


def frame_piece(ink_hw: Float32Array, frame: Frame) -> UInt8Array:
    """Return a piece's ink at the height of the frame, from its left; 255 is full ink.

    What is longer than the frame is shrunk until it fits.
    """
    rows = np.flatnonzero((ink_hw > _IS_INK).any(axis=1))
    columns = np.flatnonzero((ink_hw > _IS_INK).any(axis=0))
    framed_HW = np.zeros((frame.height, frame.width), dtype=np.uint8)
    if not len(rows):
        return framed_HW
    cut_hw = ink_hw[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    room = frame.height * (1 - 2 * frame.margin)
    scale = min(room / cut_hw.shape[0], frame.width / cut_hw.shape[1])
    height, width = (max(1, round(side * scale)) for side in cut_hw.shape)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small_hw = cv2.resize(cut_hw, (min(width, frame.width), height), interpolation=how)
    top = (frame.height - height) // 2
    framed_HW[top : top + height, : small_hw.shape[1]] = np.rint(255 * np.asarray(small_hw))
    return framed_HW


def find_slope(ink_HW: Float32Array) -> float:
    """Return by how many pixels lines go down for each to the right; 0 where it cannot be told.

    The profile of level lines has the highest crests (Postl 1986). Of one line alone, and of lines
    of a few letters, nothing is told.
    """
    height, width = ink_HW.shape
    if height < _LEAST_SLOPED_PX or width < _LEAST_SLOPED_PX:
        return 0.0
    band = max(1, width // _BANDS)
    columns = _BANDS * band
    profiles_HB = (ink_HW[:, :columns] > _IS_INK).reshape(height, _BANDS, band).sum(axis=2)
    middles_B = (np.arange(_BANDS) + 0.5) * band
    slopes = np.arange(-_MOST_SLOPE, _MOST_SLOPE + 1e-9, _SLOPE_STEP)
    crests = [_crest(profiles_HB, np.rint(slope * middles_B).astype(int)) for slope in slopes]
    best = int(np.argmax(crests))
    level = crests[len(slopes) // 2]
    return float(slopes[best]) if crests[best] > _CLEARLY * level else 0.0


def _crest(profiles_HB: NDArray[np.int64], shifts_B: NDArray[np.int64]) -> float:
    """Return how uneven the profile is once each band was moved up."""
    height = len(profiles_HB)
    reach = int(np.abs(shifts_B).max())
    profile = np.zeros(height + 2 * reach)
    for band, shift in enumerate(shifts_B):
        profile[reach - shift : reach - shift + height] += profiles_HB[:, band]
    return float(np.square(profile).sum())


def level_lines(picture_HW: Float32Array, slope: float) -> Float32Array:
    """Return a picture sheared so that lines of a slope lie level; with minus the slope, back."""
    if not slope:
        return picture_HW
    height, width = picture_HW.shape
    matrix = np.array([[1, 0, 0], [-slope, 1, 0.5 * slope * width]], dtype=np.float64)
    return np.asarray(cv2.warpAffine(picture_HW, matrix, (width, height)), dtype=np.float32)


def find_pieces(ink_HW: Float32Array, frame: Frame) -> list[Piece]:
    """Return the pieces of a picture from the top down, from left to right; at most 48."""
    is_ink_HW = _without_rules(ink_HW > _IS_INK)
    pieces = [
        piece
        for line, (top, bottom) in enumerate(_find_lines(is_ink_HW))
        for piece in _cut_line(is_ink_HW, top, bottom, line, frame.width / frame.height)
    ]
    if len(pieces) <= _MOST_PIECES:
        return pieces
    weights = [int(is_ink_HW[piece.top : piece.bottom, piece.left : piece.right].sum())
               for piece in pieces]  # fmt: skip
    kept = sorted(np.argsort(weights)[-_MOST_PIECES:])
    return [pieces[place] for place in kept]


def _without_rules(is_ink_HW: BoolArray) -> BoolArray:
    """Return the ink without long straight lines, which belong to the form and not to the text."""
    ink_HW = is_ink_HW.astype(np.uint8)
    height, width = ink_HW.shape
    lying = np.ones((1, max(48, round(_LONG_RULE * width), 3 * min(height, 64))), np.uint8)
    rules_HW = cv2.morphologyEx(ink_HW, cv2.MORPH_OPEN, lying)
    if height > width / 4:
        standing = np.ones((max(48, round(_LONG_RULE * height)), 1), np.uint8)
        rules_HW = cv2.max(rules_HW, cv2.morphologyEx(ink_HW, cv2.MORPH_OPEN, standing))
    return np.asarray(ink_HW > rules_HW)


def _find_lines(is_ink_HW: BoolArray) -> list[tuple[int, int]]:
    """Return top and bottom of each line of text."""
    profile_H = is_ink_HW.sum(axis=1).astype(np.float64)
    if not profile_H.any():
        return []
    runs = list(_runs(profile_H > max(1.0, 0.002 * is_ink_HW.shape[1])))
    runs = [part for run in runs for part in _split_touching(profile_H, *run)]
    if not runs:
        return []
    heights = np.array([bottom - top for top, bottom in runs])
    weights = np.array([profile_H[top:bottom].sum() for top, bottom in runs])
    usual = _weighted_median(heights, weights)
    least = max(_LEAST_LINE_PX, _LEAST_LINE * usual)
    lines = [run for run, height in zip(runs, heights, strict=True) if height >= least]
    return lines or [runs[int(weights.argmax())]]


def _split_touching(
    profile_H: NDArray[np.float64], top: int, bottom: int
) -> Iterator[tuple[int, int]]:
    """Yield the lines of a run of inked rows: long strokes join lines that stand close."""
    from scipy.signal import find_peaks  # which loads all of scipy.stats, for a second

    height = bottom - top
    pitch = _find_pitch(profile_H[top:bottom])
    if not pitch:
        yield top, bottom
        return
    smooth = gaussian_filter1d(profile_H[top:bottom], pitch / 7, mode="constant")
    valleys, _ = find_peaks(-smooth, distance=max(1, round(0.5 * pitch)))
    crests, _ = find_peaks(smooth, distance=max(1, round(0.5 * pitch)))
    cuts = [0]
    for valley in valleys:
        before, after = crests[crests < valley], crests[crests > valley]
        if len(before) and len(after):
            least = min(smooth[before[-1]], smooth[after[0]])
            if smooth[valley] < _STEADY * least and valley - cuts[-1] > 0.4 * pitch:
                cuts.append(int(valley))
    cuts.append(height)
    for start, stop in pairwise(cuts):
        yield top + start, top + stop


def _find_pitch(profile_h: NDArray[np.float64]) -> int:
    """Return how many rows lie from line to line, 0 where there is one line only."""
    from scipy.signal import find_peaks

    height = len(profile_h)
    if height < 24:
        return 0
    even_h = profile_h - profile_h.mean()
    likeness = np.correlate(even_h, even_h, mode="full")[height - 1 :]
    if likeness[0] <= 0:
        return 0
    peaks, _ = find_peaks(likeness[: round(0.75 * height)] / likeness[0], prominence=0.12)
    peaks = peaks[peaks > 8]
    return int(peaks[0]) if len(peaks) else 0


def _weighted_median(values: NDArray[np.int64], weights: NDArray[np.float64]) -> float:
    order = np.argsort(values)
    place = np.searchsorted(np.cumsum(weights[order]), weights.sum() / 2)
    return float(values[order][place])


def _cut_line(
    is_ink_HW: BoolArray, top: int, bottom: int, line: int, longest: float
) -> Iterator[Piece]:
    """Yield what stands together on a line, cut where it is longer than `longest` heights."""
    columns_W = is_ink_HW[top:bottom].sum(axis=0)
    height = bottom - top
    groups: list[list[int]] = []
    for left, right in _runs(columns_W > 0):
        if groups and left - groups[-1][1] <= _GAP * height:
            groups[-1][1] = right
        else:
            groups.append([left, right])
    for left, right in groups:
        ink = int(columns_W[left:right].sum())
        if right - left < 0.25 * height or ink < 0.02 * height * height:
            continue  # a speck, a piece of a rule
        count = max(1, int(np.ceil((right - left) / (longest * height))))
        edges = [_thin_place(columns_W, left, right, part / count) for part in range(count + 1)]
        for start, stop in pairwise(edges):
            yield Piece(top, start, bottom, stop, line)


def _thin_place(columns_W: NDArray[np.int64], left: int, right: int, share: float) -> int:
    """Return where little is cut through, near a share of the way."""
    middle = round(left + share * (right - left))
    if share in (0.0, 1.0):
        return middle
    reach = max(1, (right - left) // 16)
    near = columns_W[middle - reach : middle + reach]
    return middle - reach + int(near.argmin())


def _runs(is_on: BoolArray) -> Iterator[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], is_on.astype(np.int8), [0]])))
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        yield int(start), int(stop)
