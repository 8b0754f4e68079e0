"""The recogniser of characters: an ONNX network, what frames images for it, and its answers.

Shapes: N images, H x W pixels, K classes.
"""

import io
from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from PIL import Image
from pydantic import BaseModel, ConfigDict
from scipy.special import softmax

from bukva.core.arrays import Float32Array, UInt8Array
from bukva.core.imaging.decoding import decode_image
from bukva.core.predictor import OnnxModel
from bukva.errors import EmptyImageError, ImageError

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


class CharacterRecogniser(OnnxModel):
    """Reads one character from each image. Immutable: one object serves any number of calls."""

    @property
    def labels(self) -> str:
        """What the outputs mean, in order."""
        return str(self.spec["labels"])

    def probabilities(self, images_NHW: UInt8Array) -> Float32Array:
        """Return `(N, K)` for framed images, ink high on zero."""
        [logits_NK] = self.run(["logits"], images=images_NHW)
        probabilities_NK: Float32Array = softmax(logits_NK, axis=1)
        return probabilities_NK

    def answer(self, images: Sequence[bytes]) -> list[Answer]:
        """Return an answer for each encoded image; a bad one harms no other."""
        framed = [_frame_or_error(image) for image in images]
        usable = [each for each in framed if not isinstance(each, ImageError)]
        rows = iter(self.probabilities(np.stack(usable)) if usable else ())
        return [
            Answer(error=each.code, error_detail=str(each))
            if isinstance(each, ImageError)
            else self._describe(next(rows))
            for each in framed
        ]

    def recognise(self, images: pd.Series, _explain: object = None) -> pd.DataFrame:
        """Return the answers for a column of encoded images, as a table."""
        answers = [answer.model_dump() for answer in self.answer(images.tolist())]
        return pd.DataFrame(answers, columns=list(Answer.model_fields), index=images.index)

    def _describe(self, probabilities_K: Float32Array) -> Answer:
        best = np.argsort(-probabilities_K)[:_TOP_K]
        found = [
            Alternative(character=self.labels[index], probability=float(probabilities_K[index]))
            for index in best
        ]
        return Answer(
            character=found[0].character, confidence=found[0].probability, alternatives=found
        )


def _frame_or_error(image: bytes) -> UInt8Array | ImageError:
    try:
        return frame(decode_image(image))
    except ImageError as error:
        return error


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


def to_png(image_HW: UInt8Array) -> bytes:
    """Return a framed character as a PNG file, dark on white."""
    buffer = io.BytesIO()
    Image.fromarray(255 - image_HW).save(buffer, "PNG")
    return buffer.getvalue()
