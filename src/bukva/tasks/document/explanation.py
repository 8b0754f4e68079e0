"""Which parts of a picture an answer rests on, and the picture with them marked.

`grad_cam`: gradients of a logit that is the mean of a map are that map up to a factor (Selvaraju et
al. 2017, section 3.1), so that the network's own maps are taken, and nothing is differentiated.
`occlusion`: by how much the probability falls where ink is taken away (Zeiler and Fergus 2014).

Shapes: H x W pixels of the picture, h x w cells of a map, N pieces, K labels.
"""

from typing import Final, NamedTuple

import cv2
import numpy as np

from bukva.core.arrays import Float32Array, UInt8Array
from bukva.core.imaging.decoding import decode_image
from bukva.errors import ParameterError
from bukva.tasks.document.answer import Answer, Box, Method
from bukva.tasks.document.framing import level_lines
from bukva.tasks.document.recogniser import DocumentRecogniser, Reading, to_answer

METHODS: Final[tuple[Method, ...]] = ("grad_cam", "occlusion")

_LONGEST_CELLS: Final = 256
_OCCLUDED_PIECES: Final = 8
_CELLS_DOWN, _CELLS_ACROSS = 2, 16
_COLOURS: Final = {"handwritten": (213, 94, 0), "printed": (0, 114, 178)}
"""Vermillion and blue, which the colour-blind tell apart (Okabe and Ito 2008)."""
_STRONGEST: Final = 0.65
_LEAST_OUTLINE_PX: Final = 1
_LONGEST_OVERLAY_PX: Final = 1600


class Explanation(NamedTuple):
    """An answer, and where it comes from.

    Attributes:
        answer: To the picture.
        map_hw: 0..1, how much each place speaks for the label of its part.
        box: Where the map lies on the picture that was sent, in its pixels: all of it.
        method: How it was found.
    """

    answer: Answer
    map_hw: Float32Array
    box: Box
    method: Method


def explain(
    recogniser: DocumentRecogniser, image: bytes, method: Method = "grad_cam"
) -> Explanation:
    """Return the answer for an encoded image, and where it comes from.

    Raises:
        ImageError: If the image cannot be used.
        ParameterError: If there is no such method.
    """
    return explain_pixels(recogniser, decode_image(image), method)


def explain_pixels(
    recogniser: DocumentRecogniser, pixels: UInt8Array, method: Method = "grad_cam"
) -> Explanation:
    """Return the answer for a decoded picture, and where it comes from: see `explain`."""
    if method not in METHODS:
        raise ParameterError(f"Expected a method of {METHODS}, got {method!r}.")
    reading = recogniser.read(pixels)
    if method == "grad_cam":
        maps = _activation_maps(reading)
    else:
        maps = _occlusion_maps(recogniser, reading)
    height, width = pixels.shape[:2]
    box = Box(left=0, top=0, width=width, height=height)
    return Explanation(to_answer(reading), _lay_out(reading, maps), box, method)


def _activation_maps(reading: Reading) -> list[Float32Array]:
    """Return for each piece by how much each cell raises its label above the other, not below 0."""
    kinds_N = reading.probabilities_NK.argmax(axis=1)
    maps = []
    for kind, maps_Khw, framed_HW in zip(
        kinds_N, reading.maps_NKhw, reading.framed_NHW, strict=True
    ):
        evidence_hw = np.maximum(maps_Khw[kind] - maps_Khw[1 - kind], 0)
        down, across = (
            whole // cells for whole, cells in zip(framed_HW.shape, evidence_hw.shape, strict=True)
        )
        kernel = np.ones((down + 1, across + 1), np.uint8)
        has_ink_hw = cv2.dilate(framed_HW, kernel)[down // 2 :: down, across // 2 :: across] > 76
        maps.append((evidence_hw * has_ink_hw).astype(np.float32))
    return maps


def _occlusion_maps(recogniser: DocumentRecogniser, reading: Reading) -> list[Float32Array]:
    """Return for the largest pieces by how much the probability of their label falls."""
    sizes = [(each.right - each.left) * (each.bottom - each.top) for each in reading.pieces]
    asked = set(np.argsort(sizes)[-_OCCLUDED_PIECES:].tolist())
    blank_hw = np.zeros((_CELLS_DOWN, _CELLS_ACROSS), dtype=np.float32)
    return [
        _occlude(recogniser, framed_HW, row_K) if place in asked else blank_hw
        for place, (framed_HW, row_K) in enumerate(
            zip(reading.framed_NHW, reading.probabilities_NK, strict=True)
        )
    ]


def _occlude(
    recogniser: DocumentRecogniser, framed_HW: UInt8Array, row_K: Float32Array
) -> Float32Array:
    height, width = framed_HW.shape
    down, across = height // _CELLS_DOWN, width // _CELLS_ACROSS
    covered = []
    for top in range(0, height, down):
        for left in range(0, width, across):
            without_HW = framed_HW.copy()
            without_HW[top : top + down, left : left + across] = 0
            covered.append(without_HW)
    kind = int(row_K.argmax())
    falls_N = row_K[kind] - recogniser.probabilities(np.stack(covered))[:, kind]
    falls_hw: Float32Array = np.maximum(falls_N, 0).reshape(_CELLS_DOWN, _CELLS_ACROSS)
    return falls_hw


def _lay_out(reading: Reading, maps: list[Float32Array]) -> Float32Array:
    """Return one map `(h, w)` of the picture, 0..1, from the maps of its pieces."""
    height, width = reading.shape
    shrink = min(1.0, _LONGEST_CELLS / max(height, width))
    size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
    whole_HW = np.zeros((height, width), dtype=np.float32)
    for piece, framed_HW, map_hw in zip(reading.pieces, reading.framed_NHW, maps, strict=True):
        large_HW = cv2.resize(map_hw, framed_HW.shape[::-1], interpolation=cv2.INTER_LINEAR)
        rows, columns = _inked(framed_HW)
        target = whole_HW[piece.top : piece.bottom, piece.left : piece.right]
        fitted = cv2.resize(large_HW[rows, columns], target.shape[::-1])
        np.maximum(target, fitted, out=target)
    whole_HW = level_lines(whole_HW, -reading.slope)
    if whole_HW.max() > 0:
        whole_HW /= whole_HW.max()
    return np.asarray(cv2.resize(whole_HW, size, interpolation=cv2.INTER_AREA), dtype=np.float32)


def _inked(framed_HW: UInt8Array) -> tuple[slice, slice]:
    rows, columns = (np.flatnonzero(framed_HW.any(axis=axis)) for axis in (1, 0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def draw_overlay(image: bytes, explanation: Explanation) -> bytes:
    """Return the picture as a PNG file, coloured where its answer comes from, each part framed.

    Handwriting is vermillion, print blue; what is longer than 1600 pixels is shrunk.

    Raises:
        ImageError: If the image cannot be used.
    """
    return draw_overlay_on_pixels(decode_image(image), explanation)


def draw_overlay_on_pixels(pixels: UInt8Array, explanation: Explanation) -> bytes:
    """Return a decoded picture as `draw_overlay` does."""
    rgb_HWC = pixels if pixels.ndim == 3 else np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB))
    shrink = min(1.0, _LONGEST_OVERLAY_PX / max(rgb_HWC.shape[:2]))
    if shrink < 1:
        rgb_HWC = np.asarray(cv2.resize(rgb_HWC, None, fx=shrink, fy=shrink,
                                        interpolation=cv2.INTER_AREA))  # fmt: skip
    height, width = rgb_HWC.shape[:2]
    strength_HW = cv2.resize(explanation.map_hw, (width, height), interpolation=cv2.INTER_LINEAR)
    drawn_HWC = rgb_HWC.astype(np.float32)
    for part in explanation.answer.parts:
        rows, columns = _scaled(part.box, shrink)
        cover = _STRONGEST * strength_HW[rows, columns, None]
        colour = np.array(_COLOURS[part.label], dtype=np.float32)
        drawn_HWC[rows, columns] += cover * (colour - drawn_HWC[rows, columns])
    drawn = np.rint(drawn_HWC).astype(np.uint8)
    thickness = max(_LEAST_OUTLINE_PX, round(max(height, width) / 500))
    for part in explanation.answer.parts:
        rows, columns = _scaled(part.box, shrink)
        corners = ((columns.start, rows.start), (columns.stop - 1, rows.stop - 1))
        cv2.rectangle(drawn, *corners, _COLOURS[part.label], thickness)
    _, encoded = cv2.imencode(".png", cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR))
    return bytes(encoded)


def _scaled(box: Box, scale: float) -> tuple[slice, slice]:
    top, left = round(box.top * scale), round(box.left * scale)
    bottom, right = round((box.top + box.height) * scale), round((box.left + box.width) * scale)
    return slice(top, max(top + 1, bottom)), slice(left, max(left + 1, right))
