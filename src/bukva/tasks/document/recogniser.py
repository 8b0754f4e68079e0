"""The recogniser of documents: from an image to its ink, its pieces, and what each is.

Shapes: N pieces, H x W pixels of a piece, K = 2 labels, h x w cells of a map.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Final, NamedTuple

import cv2
import numpy as np
from scipy.special import softmax

from bukva.core.arrays import Float32Array, UInt8Array
from bukva.core.imaging.decoding import decode_image, to_grey
from bukva.core.imaging.text_ink import read_text_ink
from bukva.core.predictor import ImageReader
from bukva.errors import ImageError, ImageTooSmallError
from bukva.tasks.document.answer import LABELS, Answer, Box, Hand, Part
from bukva.tasks.document.framing import (
    Frame,
    Piece,
    find_pieces,
    find_slope,
    frame_piece,
    level_lines,
)

LEAST_SIDE_PX: Final = 6
_SURE: Final = 0.85
"""Confidence from which a part that differs from the others makes a picture mixed."""
_LEAST_MIXED: Final = 0.03
"""Share of all that is written that such parts must have."""
_PIECES_AT_ONCE: Final = 16


class Reading(NamedTuple):
    """What was read of one picture.

    Attributes:
        pieces: On the picture as it was read, which may be smaller than the one that was sent.
        framed_NHW: What the network saw of each.
        probabilities_NK: What it says of each.
        maps_NKhw: Where in it the logits come from.
        scale: Pixels of the picture that was sent for one of those.
        shape: Height and width of the picture as it was read.
        slope: By how many pixels lines went down for each to the right; the pieces lie on the
            picture once it was sheared so that they are level.
    """

    pieces: list[Piece]
    framed_NHW: UInt8Array
    probabilities_NK: Float32Array
    maps_NKhw: Float32Array
    scale: float
    shape: tuple[int, int]
    slope: float = 0.0

    def to_box(self, top: int, left: int, bottom: int, right: int) -> Box:
        """Return a box of what was read as it lies on the picture that was sent."""
        downs = [self.slope * (x - 0.5 * self.shape[1]) for x in (left, right)]
        upper, lower = max(0.0, top + min(downs)), min(self.shape[0], bottom + max(downs))
        return Box(
            left=round(left * self.scale),
            top=round(upper * self.scale),
            width=max(1, round((right - left) * self.scale)),
            height=max(1, round((lower - upper) * self.scale)),
        )


class DocumentRecogniser(ImageReader[Answer]):
    """Tells handwriting from print. Immutable: one object serves any number of calls."""

    answer_model = Answer

    @property
    def labels(self) -> tuple[Hand, ...]:
        """What the outputs mean, in order."""
        return LABELS

    @property
    def frame(self) -> Frame:
        """How a piece lies in what the network takes."""
        return Frame.from_spec(self.spec["preprocessing"])

    def logits_and_maps(self, images_NHW: UInt8Array) -> tuple[Float32Array, Float32Array]:
        """Return logits `(N, K)` and class activation maps `(N, K, h, w)` of framed pieces."""
        parts = [
            self.run(["logits", "maps"], images=images_NHW[start : start + _PIECES_AT_ONCE])
            for start in range(0, len(images_NHW), _PIECES_AT_ONCE)
        ]
        logits, maps = zip(*parts, strict=True)
        return np.concatenate(logits), np.concatenate(maps)

    def probabilities(self, images_NHW: UInt8Array) -> Float32Array:
        """Return `(N, K)` for framed pieces, calibrated on samples that were not trained on."""
        return self._calibrate(self.logits_and_maps(images_NHW)[0])

    def _calibrate(self, logits_NK: Float32Array) -> Float32Array:
        probabilities_NK: Float32Array = softmax(logits_NK / self.spec["temperature"], axis=1)
        return probabilities_NK

    def prepare(self, image: bytes) -> UInt8Array:
        """Return all of an image as if it were one line."""
        ink_HW, _ = read_ink(decode_image(image))
        return frame_piece(ink_HW, self.frame)

    def describe(self, images_NHW: UInt8Array) -> list[Answer]:
        """Return an answer for each framed line, without a place."""
        answers = []
        for framed_HW, row_K in zip(images_NHW, self.probabilities(images_NHW), strict=True):
            best = int(row_K.argmax())
            is_blank = not framed_HW.any()
            answers.append(
                Answer(label="blank")
                if is_blank
                else Answer(label=LABELS[best], confidence=float(row_K[best]))
            )
        return answers

    def answer(self, images: Sequence[bytes]) -> list[Answer]:
        """Return an answer for each encoded image."""
        return [self._answer_or_refuse(image) for image in images]

    def _answer_or_refuse(self, image: bytes) -> Answer:
        try:
            return self.answer_pixels(decode_image(image))
        except ImageError as error:
            return Answer(error=error.code, error_detail=str(error))

    def answer_pixels(self, pixels: UInt8Array) -> Answer:
        """Return the answer for a decoded picture, `(H, W)` grey or `(H, W, 3)` RGB.

        Raises:
            ImageError: If it cannot be used.
        """
        return to_answer(self.read(pixels))

    def read(self, pixels: UInt8Array) -> Reading:
        """Return the pieces of a decoded picture, and what the network says of each.

        Raises:
            ImageError: If it cannot be used.
        """
        ink_HW, scale = read_ink(pixels)
        slope = find_slope(ink_HW)
        ink_HW = level_lines(ink_HW, slope)
        pieces = find_pieces(ink_HW, self.frame)
        framed = [frame_piece(piece.cut_out(ink_HW), self.frame) for piece in pieces]
        if not framed:
            empty = np.zeros((0, len(LABELS)), dtype=np.float32)
            frames_NHW = np.zeros((0, self.frame.height, self.frame.width), dtype=np.uint8)
            return Reading([], frames_NHW, empty, empty[..., None, None], scale, ink_HW.shape)
        logits_NK, maps_NKhw = self.logits_and_maps(np.stack(framed))
        probabilities_NK = self._calibrate(logits_NK)
        frames_NHW = np.stack(framed)
        shape = (ink_HW.shape[0], ink_HW.shape[1])
        return Reading(pieces, frames_NHW, probabilities_NK, maps_NKhw, scale, shape, slope)


_READ_PX: Final = 1600
"""Longest side of a picture as it is read: lines of a page are still 20 px high then."""


def read_ink(pixels: UInt8Array) -> tuple[Float32Array, float]:
    """Return the ink of a picture, and how many of its pixels are one of those.

    Raises:
        ImageError: If it is less than 6 pixels high or wide, or too dark.
    """
    if min(pixels.shape[:2]) < LEAST_SIDE_PX:
        height, width = pixels.shape[:2]
        raise ImageTooSmallError(
            f"Expected a picture of at least {LEAST_SIDE_PX} pixels each way, got {width} x "
            f"{height}: too small for writing."
        )
    grey_HW = to_grey(pixels)
    scale = max(1.0, max(grey_HW.shape) / _READ_PX)
    if scale > 1:
        size = (round(grey_HW.shape[1] / scale), max(1, round(grey_HW.shape[0] / scale)))
        grey_HW = np.asarray(cv2.resize(grey_HW, size, interpolation=cv2.INTER_AREA))
    return read_text_ink(grey_HW), scale


def to_answer(reading: Reading) -> Answer:
    """Put what was read into words."""
    if not reading.pieces:
        return Answer(label="blank")
    weights_N = np.array([(each.right - each.left) for each in reading.pieces], dtype=float)
    weights_N *= np.array([(each.bottom - each.top) for each in reading.pieces])
    shares_N = weights_N / weights_N.sum()
    overall_K = shares_N @ reading.probabilities_NK
    parts = _join(reading)
    best = int(overall_K.argmax())
    differing = reading.probabilities_NK.argmax(axis=1) != best
    is_sure_N = reading.probabilities_NK.max(axis=1) >= _SURE
    if shares_N[differing & is_sure_N].sum() >= _LEAST_MIXED and (is_sure_N & ~differing).any():
        confidence = min(
            max(part.confidence for part in parts if part.label == label) for label in LABELS
        )
        return Answer(label="mixed", confidence=confidence, parts=parts)
    return Answer(label=LABELS[best], confidence=float(overall_K[best]), parts=parts)


def _join(reading: Reading) -> list[Part]:
    """Return the parts: pieces of a line that are of one kind, next to each other."""
    found = zip(reading.pieces, reading.probabilities_NK, strict=True)
    kinds = groupby(found, key=lambda each: (each[0].line, int(each[1].argmax())))
    parts = []
    for (_, kind), group in kinds:
        pieces, rows = zip(*group, strict=True)
        top, bottom = min(each.top for each in pieces), max(each.bottom for each in pieces)
        left, right = pieces[0].left, pieces[-1].right
        widths = [each.right - each.left for each in pieces]
        box = reading.to_box(top, left, bottom, right)
        confidence = float(np.average([row[kind] for row in rows], weights=widths))
        parts.append(Part(box=box, label=LABELS[kind], confidence=confidence))
    return parts
