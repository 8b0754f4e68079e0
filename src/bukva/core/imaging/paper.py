"""From a picture of paper to the ink of one symbol, whatever the light, the paper and the pen.

The paper's colour is looked for anew at each place, as a median over a window that is wider than
strokes; ink is the distance from it in CIELAB, so that a marker as light as its paper counts, too.
A median keeps edges: that of a shadow or of a sheet stays one, and around it anything between the
colours of both sides counts as paper. Sauvola and Pietikäinen 2000 threshold a page against its
surroundings in the same spirit; here the distance itself is kept, for strokes have soft edges.

Shapes: H x W pixels, h x w pixels of a symbol, C = 3 channels (lightness and two of colour, as
OpenCV scales them to 8 bits).
"""

from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from bukva.core.arrays import Float32Array, UInt8Array
from bukva.core.imaging.pieces import choose_pieces
from bukva.core.imaging.rules import remove_rules
from bukva.core.imaging.sheet import find_sheet, shrink
from bukva.errors import EmptyImageError, TooDarkError

LEAST_LEVELS: Final = 12.0
"""Ink differs from its paper by more than this, of 255."""

_LEAST_SIDE_PX: Final = 128
_MOST_SIDE_PX: Final = 512
_SMALL_SYMBOL_PX: Final = 44
"""A symbol smaller than this on a reduced picture is looked at again on the whole one."""
_MARGIN: Final = 1.5  # around it, as a share of its longer side
_GROUND_SIDE_PX: Final = 64
_WINDOW_SHARE: Final = 0.42
_EVEN: Final = 7
_WIDEST_STROKE: Final = 0.22
_SHINE_LEVELS: Final = 25
_EDGE_PX: Final = 3  # of the ground's small picture: how far the edge of a shadow reaches
_COLOUR_WEIGHT: Final = 1.4
_SHARP_LEVELS: Final = 40.0
_DARK: Final = 45
_STRONG, _STRONGEST = 0.6, 98
_SURE_PERCENTILE: Final = 80
_FAINTEST, _FULL = 0.15, 0.9  # of a symbol's usual ink: below nothing, above all


class SymbolInk(NamedTuple):
    """One symbol, cut out.

    Attributes:
        ink_hw: Ink 0..1 within the symbol's box.
        to_picture: `(2, 3)`, takes a place in the box, in its pixels, to one on the picture.
    """

    ink_hw: Float32Array
    to_picture: NDArray[np.float64]


class _View(NamedTuple):
    """A part of a picture, perhaps turned or scaled, and how its pixels lie on the picture."""

    pixels: UInt8Array
    to_picture: NDArray[np.float64]

    def map(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how another view's pixels lie on the picture, from how they lie on this one."""
        whole = np.vstack([matrix, [0, 0, 1]])
        composed: NDArray[np.float64] = self.to_picture @ whole
        return composed

    def map_part(self, rows: slice, columns: slice) -> NDArray[np.float64]:
        """Return how the pixels of a part of this view lie on the picture."""
        return self.map(np.array([[1, 0, columns.start], [0, 1, rows.start]], dtype=np.float64))


def read_symbol(pixels: UInt8Array) -> SymbolInk:
    """Return the one symbol that a picture shows.

    Args:
        pixels: uint8 `(H, W)` grey or `(H, W, 3)` RGB, of paper or a board with something on it.

    Raises:
        EmptyImageError: If nothing stands out from the paper.
        TooDarkError: If nothing does, and the picture is too dark for it.
        SeveralSymbolsError: If several symbols stand beside each other.
    """
    whole = _View(pixels, np.eye(2, 3))
    view = _resize(whole)
    lab_HWC = to_lab(view.pixels)
    if found_sheet := find_sheet(lab_HWC):
        sheet = found_sheet.scale(view.to_picture[0, 0])
        whole = _View(sheet.cut_out(pixels), sheet.to_picture())
        view = _resize(whole)
        lab_HWC = to_lab(view.pixels)
    found = _read(view, lab_HWC)
    is_reduced = max(view.pixels.shape) < max(whole.pixels.shape)
    if is_reduced and max(found.ink_hw.shape) < _SMALL_SYMBOL_PX:
        view = _resize(_look_closer(whole, view, found))
        found = _read(view, to_lab(view.pixels))
    return found


def _resize(view: _View) -> _View:
    """Return a view of a size that can be worked on: pieces of a pixel or two tell nothing."""
    longest = max(view.pixels.shape[:2])
    scale = min(max(1.0, _LEAST_SIDE_PX / longest), _MOST_SIDE_PX / longest)
    if scale == 1.0:
        return view
    height, width = (max(2, round(side * scale)) for side in view.pixels.shape[:2])
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    pixels: UInt8Array = np.asarray(cv2.resize(view.pixels, (width, height), interpolation=how))
    down, across = view.pixels.shape[0] / height, view.pixels.shape[1] / width
    return _View(pixels, view.map(np.array([[across, 0, 0], [0, down, 0]], dtype=np.float64)))


def _look_closer(whole: _View, view: _View, found: SymbolInk) -> _View:
    """Return what of a whole view lies around a symbol that was found on a smaller one."""
    factor = whole.pixels.shape[0] / view.pixels.shape[0]
    [[_, _, x], [_, _, y]] = found.to_picture
    # Where the symbol lies on the whole view, which may be turned on the picture.
    inverse = cv2.invertAffineTransform(whole.to_picture)
    left, top = inverse @ [x, y, 1]
    height, width = (side * factor for side in found.ink_hw.shape)
    reach = _MARGIN * max(height, width)
    rows = _within(top - reach, top + height + reach, whole.pixels.shape[0])
    columns = _within(left - reach, left + width + reach, whole.pixels.shape[1])
    part = np.ascontiguousarray(whole.pixels[rows, columns])
    return _View(part, whole.map_part(rows, columns))


def _within(start: float, stop: float, size: int) -> slice:
    return slice(max(0, int(start)), min(size, int(np.ceil(stop))))


def _read(view: _View, lab_HWC: UInt8Array) -> SymbolInk:
    ink_HW = measure_ink_levels(lab_HWC)
    try:
        pieces = choose_pieces(ink_HW, LEAST_LEVELS)
    except EmptyImageError as error:
        if np.percentile(lab_HWC[..., 0], 95) < _DARK:
            message = "Expected a picture with light on it, got one too dark to see anything: "
            raise TooDarkError(f"{message}photograph it again in better light.") from error
        raise
    rows, columns = pieces.box
    ink_hw = ink_HW[rows, columns]
    usual = np.percentile(ink_hw[pieces.is_own_hw], _SURE_PERCENTILE)
    scaled_hw = (ink_hw / usual - _FAINTEST) / (_FULL - _FAINTEST)
    own_hw = np.where(pieces.is_own_hw, np.clip(scaled_hw, 0, 1), 0).astype(np.float32)
    return SymbolInk(own_hw, view.map_part(rows, columns))


def to_lab(pixels: UInt8Array) -> UInt8Array:
    """Return a picture in CIELAB, each channel as 0..255; grey has no colour, which is 128."""
    if pixels.ndim == 2:
        middle_HW = np.full_like(pixels, 128)
        return np.asarray(cv2.merge([pixels, middle_HW, middle_HW]))
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB))


def measure_ink_levels(lab_HWC: UInt8Array) -> Float32Array:
    """Return by how many levels each pixel is away from its paper, on the side that the ink is on.

    Rules and squares that are printed on the paper belong to it.
    """
    away_HWC, rules_HW = remove_rules(_differ_from_ground(lab_HWC))
    light, red, yellow = cv2.split(away_HWC)
    colour_HW = _COLOUR_WEIGHT * np.asarray(cv2.magnitude(red, yellow))
    dark_HW: Float32Array = np.asarray(cv2.magnitude(np.maximum(-light, 0), colour_HW))
    bright_HW: Float32Array = np.asarray(cv2.magnitude(np.maximum(light, 0), colour_HW))
    ink_HW = dark_HW if _weigh_edges(dark_HW) >= _weigh_edges(bright_HW) else bright_HW
    if rules_HW.any():
        ink_HW = np.minimum(ink_HW, _of_its_colour(away_HWC, ink_HW))
    return np.asarray(np.maximum(ink_HW - rules_HW, 0))


def _of_its_colour(away_HWC: Float32Array, ink_HW: Float32Array) -> Float32Array:
    """Return how far each pixel is from the paper towards the colour that strong ink has.

    What a pale pen writes is not stronger than the remains of a rule, but of another colour.
    """
    strong_HW = np.maximum(ink_HW - _STRONG * np.percentile(ink_HW, _STRONGEST), 0)
    weighted_HWC = away_HWC * np.array([1, _COLOUR_WEIGHT, _COLOUR_WEIGHT], dtype=np.float32)
    towards_C = np.einsum("hw,hwc->c", strong_HW, weighted_HWC)
    towards_C /= max(float(np.linalg.norm(towards_C)), 1e-6)
    return np.asarray(weighted_HWC @ towards_C)


def _differ_from_ground(lab_HWC: UInt8Array) -> Float32Array:
    """Return by how much each pixel is outside of the colours of the paper around it, signed."""
    height, width = lab_HWC.shape[:2]
    small = _find_ground(shrink(lab_HWC, _GROUND_SIDE_PX))
    near = np.ones((_EDGE_PX, _EDGE_PX), np.uint8)
    low, high = (
        cv2.resize(tones, (width, height), interpolation=cv2.INTER_LINEAR)
        for tones in (cv2.erode(small, near), cv2.dilate(small, near))
    )
    # Both saturate at 0: what is within the range differs by nothing.
    above, below = cv2.subtract(lab_HWC, high), cv2.subtract(low, lab_HWC)
    return np.asarray(cv2.subtract(above, below, dtype=cv2.CV_32F))


def _find_ground(small_HWC: UInt8Array) -> UInt8Array:
    """Return the colour of the paper at each place of a small picture."""
    light_HW = small_HWC[..., 0]
    counts = np.convolve(np.bincount(light_HW.ravel(), minlength=256), np.ones(_EVEN), mode="same")
    tone = int(counts.argmax())
    near_HW = cv2.inRange(light_HW, tone - _EVEN, tone + _EVEN)
    colour_C = np.array(cv2.mean(small_HWC, near_HW)[:3])
    is_even_HW = cv2.inRange(small_HWC, colour_C - _EVEN, colour_C + _EVEN)
    # One paper in one light. What else there is, is ink: nowhere wider than a stroke.
    stroke = np.ones((round(_WIDEST_STROKE * max(light_HW.shape)),) * 2, np.uint8)
    wide_HW = cv2.erode(255 - is_even_HW, stroke, borderValue=0)
    if cv2.countNonZero(is_even_HW) >= is_even_HW.size / 2 and not wide_HW.any():
        return np.broadcast_to(np.rint(colour_C).astype(np.uint8), small_HWC.shape).copy()
    window = int(_WINDOW_SHARE * max(light_HW.shape)) | 1
    ground_HWC = np.asarray(cv2.medianBlur(small_HWC, window), dtype=np.uint8)
    # The shine of a lamp is narrower than that window, and wider than chalk.
    shine_HW = cv2.morphologyEx(light_HW, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    shine_HW = cv2.morphologyEx(shine_HW, cv2.MORPH_CLOSE, stroke)
    # Where it is one: the hollows of an uneven light are no ink.
    is_shine_HW = cv2.subtract(shine_HW, ground_HWC[..., 0]) > _SHINE_LEVELS
    ground_HWC[is_shine_HW, 0] = shine_HW[is_shine_HW]
    return ground_HWC


def _weigh_edges(ink_HW: Float32Array) -> float:
    """Return how much of it has sharp edges, as strokes have and the shine of a lamp has not."""
    across = cv2.Sobel(ink_HW, cv2.CV_32F, 1, 0, ksize=3)
    down = cv2.Sobel(ink_HW, cv2.CV_32F, 0, 1, ksize=3)
    edge_HW = cv2.magnitude(across, down)
    _, sharp_HW = cv2.threshold(edge_HW, _SHARP_LEVELS, 0, cv2.THRESH_TOZERO)
    return float(cv2.sumElems(sharp_HW)[0])
