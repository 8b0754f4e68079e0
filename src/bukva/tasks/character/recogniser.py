"""The recogniser of characters: an ONNX network, what frames images for it, and its answers.

Shapes: N images, H x W pixels, K classes.
"""

from typing import Final

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict
from scipy.special import softmax

from bukva.core.arrays import Float32Array, UInt8Array
from bukva.core.imaging.decoding import decode_image, to_grey
from bukva.core.predictor import ImageReader
from bukva.errors import EmptyImageError

FRAME_PX: Final = 28
_INK_PX: Final = 24
_FAINTEST: Final = 24
_TOP_K: Final = 5


class Question(BaseModel):
    """What a packaged model is asked for each row of a table."""

    image: bytes


class Alternative(BaseModel):
    """One character that the image may show."""

    model_config = ConfigDict(frozen=True)

    character: str
    probability: float


class Answer(BaseModel):
    """What is answered for one image; an image that cannot be used has an error alone."""

    model_config = ConfigDict(frozen=True)

    character: str | None = None
    confidence: float | None = None
    alternatives: list[Alternative] = []
    error: str | None = None
    error_detail: str | None = None


class CharacterRecogniser(ImageReader[Answer]):
    """Reads one character from each image. Immutable: one object serves any number of calls."""

    answer_model = Answer

    @property
    def labels(self) -> str:
        """What the outputs mean, in order."""
        return str(self.spec["labels"])

    def probabilities(self, images_NHW: UInt8Array) -> Float32Array:
        """Return `(N, K)` for framed images, ink high on zero."""
        [logits_NK] = self.run(["logits"], images=images_NHW)
        probabilities_NK: Float32Array = softmax(logits_NK, axis=1)
        return probabilities_NK

    def prepare(self, image: bytes) -> UInt8Array:
        """Return an encoded image in the frame of EMNIST."""
        return frame(to_grey(decode_image(image)))

    def describe(self, images_NHW: UInt8Array) -> list[Answer]:
        """Return an answer for each framed image."""
        return [self._describe(row_K) for row_K in self.probabilities(images_NHW)]

    def _describe(self, probabilities_K: Float32Array) -> Answer:
        found = [
            Alternative(character=self.labels[index], probability=float(probabilities_K[index]))
            for index in np.argsort(-probabilities_K)[:_TOP_K]
        ]
        best = found[0]
        return Answer(character=best.character, confidence=best.probability, alternatives=found)


def frame(grey_HW: UInt8Array) -> UInt8Array:
    """Return the ink of a picture as EMNIST frames it: 24 px at its longest, centred in 28.

    Raises:
        EmptyImageError: If nothing stands out from the ground.
    """
    edge = np.concatenate([grey_HW[0], grey_HW[-1], grey_HW[:, 0], grey_HW[:, -1]])
    ink_HW = np.abs(grey_HW.astype(np.int16) - np.int16(np.median(edge)))
    strongest = int(ink_HW.max())
    if strongest < _FAINTEST:
        raise EmptyImageError("Expected a character, got a picture of one tone.")
    rows, columns = (np.flatnonzero((ink_HW > strongest // 3).any(axis=axis)) for axis in (1, 0))
    cut_HW = ink_HW[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] * 255 // strongest
    scale = _INK_PX / max(cut_HW.shape)
    size = tuple(max(1, round(side * scale)) for side in reversed(cut_HW.shape))
    small_HW = np.asarray(Image.fromarray(cut_HW.astype(np.uint8)).resize(size))
    framed_HW = np.zeros((FRAME_PX, FRAME_PX), dtype=np.uint8)
    top, left = ((FRAME_PX - side) // 2 for side in small_HW.shape)
    framed_HW[top : top + small_HW.shape[0], left : left + small_HW.shape[1]] = small_HW
    return framed_HW
