"""The recogniser of lines: from an image to its ink, its text, and where each word of it stands.

Shapes: h x w pixels of framed ink, T time steps, K outputs.
"""

import base64
from collections.abc import Sequence
from functools import cached_property
from typing import Final

import numpy as np
from scipy.special import log_softmax

from bukva.core.arrays import Float32Array, UInt8Array
from bukva.core.imaging.decoding import decode_image
from bukva.core.predictor import ImageReader
from bukva.errors import ImageError
from bukva.tasks.line.answer import Answer
from bukva.tasks.line.charset import Charset
from bukva.tasks.line.confidence import Sureness
from bukva.tasks.line.decoding import Found, Search, search
from bukva.tasks.line.framing import FramedLine, frame_line
from bukva.tasks.line.language_model import LanguageModel
from bukva.tasks.line.wording import Reading, to_answer

LANGUAGE_MODEL_KEY: Final = "bukva.language_model"
"""In the metadata of the ONNX file: the bytes of the language model, base64."""


class LineRecogniser(ImageReader[Answer]):
    """Reads lines of handwriting. Immutable: one object serves any number of calls."""

    answer_model = Answer

    @cached_property
    def charset(self) -> Charset:
        """What the network's outputs stand for."""
        return Charset(self.spec["charset"])

    @cached_property
    def language_model(self) -> LanguageModel | None:
        """What prefers likely texts; None where the file brings none."""
        packed = self.metadata.get(LANGUAGE_MODEL_KEY)
        return LanguageModel.from_bytes(base64.b64decode(packed)) if packed else None

    @cached_property
    def settings(self) -> Search:
        """How a text is looked for, as it was best on lines that were not learnt from."""
        return Search(**self.spec["decoding"])

    def log_probabilities(self, ink_hw: UInt8Array) -> Float32Array:
        """Return the logarithm of what the network says of each time step, `(T, K)`.

        Each line is asked for alone, so that none changes what is said of another.

        Args:
            ink_hw: A framed line, w a multiple of 4.
        """
        [logits_1TK] = self.run(["logits"], images=ink_hw[None])
        log_TK: Float32Array = log_softmax(logits_1TK[0], axis=1)
        return log_TK

    def find(self, log_TK: Float32Array) -> list[Found]:
        """Return the texts that are likeliest, the first one most."""
        return search(log_TK, self.settings, self.language_model)

    def read_ink(self, ink_hw: UInt8Array) -> Reading:
        """Return what a framed line says; nothing where there is no ink."""
        if not ink_hw.any():
            return Reading.of_nothing(self.charset)
        log_TK = self.log_probabilities(ink_hw)
        return Reading(self.charset, log_TK, tuple(self.find(log_TK)))

    def frame(self, image: bytes) -> FramedLine:
        """Return the ink of an encoded image, and how it lies on it.

        Raises:
            ImageError: If it cannot be used.
        """
        return frame_line(decode_image(image))

    def prepare(self, image: bytes) -> UInt8Array:
        """Return an image as the network takes it."""
        return self.frame(image).ink_hw

    def describe(self, images_NHW: Sequence[UInt8Array] | UInt8Array) -> list[Answer]:
        """Return an answer for each framed line; its places are in the frame."""
        return [self._answer(FramedLine(ink_hw, np.eye(2, 3), 0)) for ink_hw in images_NHW]

    def answer(self, images: Sequence[bytes]) -> list[Answer]:
        """Return an answer for each encoded image."""
        return [self._answer_or_refuse(image) for image in images]

    def _answer_or_refuse(self, image: bytes) -> Answer:
        try:
            return self._answer(self.frame(image))
        except ImageError as error:
            return Answer(error=error.code, error_detail=str(error))

    def answer_pixels(self, pixels: UInt8Array) -> Answer:
        """Return the answer for a decoded picture, `(H, W)` grey or `(H, W, 3)` RGB.

        Raises:
            ImageError: If it cannot be used.
        """
        return self._answer(frame_line(pixels))

    def _answer(self, framed: FramedLine) -> Answer:
        reading = self.read_ink(framed.ink_hw)
        return to_answer(reading, framed, self.sureness("word"), self.sureness("line"))

    def sureness(self, kind: str) -> Sureness:
        """Return how confidences of a `word` or a `line` come about."""
        return Sureness(*self.spec["sureness"][kind])
