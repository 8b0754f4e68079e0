"""A model that reads letters and digits, what it must know, and how it is asked."""

from base64 import b64decode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from pydantic import ValidationError

from bukva.errors import ModelError, ModelFormatError
from bukva.serving.model import LoadedModel
from bukva.serving.problems import IMAGE_PROBLEMS
from bukva.serving.schemas import Method
from bukva.tasks.glyph.answer import Answer, Box, Source
from bukva.tasks.glyph.recogniser import Recogniser, check_golden, read_golden

# A PNG of 64x64 pixels, one bit each, with the strokes of a 1; and bytes that are no image.
_ONE_PNG = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAEAAAABAAQAAAACCEkxzAAAATklEQVR42mP8zwABTAwkMv7DGL9gjBcCUMYCBgYGBob"
    "///8x8P///58JqoSBiYHhBYY5AjwwEQOorh9/oLqYYWpYyHPhKIMIBuN/irQDABvDFUWA/uBcAAAAAElFTkSuQmCC"
)
Predict = Callable[[Sequence[bytes]], Sequence[Answer]]
PROBE_IMAGES: Final = (_ONE_PNG, b"not an image")


def check_probe(predict: Predict) -> None:
    """Ask for PROBE_IMAGES: the first must be recognised, the second refused.

    Raises:
        ModelError: If it is not so, in which case the model must not be served.
    """
    try:
        page, text = predict(PROBE_IMAGES)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()
        )
        raise ModelError(f"Expected an answer as a recogniser gives, got {faults}.") from error
    if page.failure:
        raise ModelError(f"Expected the model to read the probe, got {page.failure.error}.")
    if not text.failure or text.failure.error not in IMAGE_PROBLEMS:
        raise ModelError(f"Expected the model to refuse text as an image, got {text}.")


def read_map(answer: Answer) -> tuple[Box, list[list[float]]] | None:
    """Return where the network found the label: the box of the map, and its cells from 0 to 1.

    Returns:
        Cells as shares of the most telling one, all 0 where nothing speaks for the label; None if
        there is no map.

    Raises:
        ModelError: If a cell is negative or no number.
    """
    if answer.grad_cam is None or answer.frame_box is None:
        return None
    cells = np.array(answer.grad_cam, dtype=float)
    if not (cells.ndim == 2 and cells.size and cells.min() >= 0 and np.isfinite(cells).all()):
        raise ModelError("Expected rows of cells of at least 0 in `grad_cam`, got others.")
    shares: list[list[float]] = (cells / (cells.max() or 1.0)).tolist()
    return Box(**answer.frame_box), shares


class GlyphModel(LoadedModel[Recogniser]):
    """A model that reads letters and digits."""

    @classmethod
    def open(cls, onnx_model: bytes, _deadline_s: float) -> Recogniser:
        """Return the recogniser in an ONNX file."""
        return Recogniser(onnx_model)

    def check_probe(self) -> None:
        """Ask for a drawn 1, and for a text."""
        check_probe(self.predict)

    def check_golden(self) -> None:
        """Ask for the golden samples of the dossier."""
        try:
            golden = read_golden(self.dossier.golden)
        except ModelFormatError as error:
            message = "Expected golden samples that can be read in the dossier."
            raise ModelError(message) from error
        check_golden(self.recogniser, golden)

    def try_out(self, deadline_s: float) -> None:
        """Ask what it must know, and last the first question for a map: nobody need wait for it."""
        super().try_out(deadline_s)
        if self.mapped:
            read_map(self.mapped.predict(PROBE_IMAGES)[0])

    def predict(self, images: Sequence[bytes], /) -> list[Answer]:
        """Return an answer for each encoded image, in their order."""
        return self.recogniser.read(images)

    def asked_of(self, source: Source | None) -> "AskedModel":
        """The same model, asked of images of one source."""
        return AskedModel(self.recogniser, source)

    @cached_property
    def mapped(self) -> "AskedModel | None":
        """The same model, asked for a map too; None if its network has none to give."""
        return AskedModel(self.recogniser, with_map=True) if self.recogniser.has_map else None

    @property
    def methods(self) -> list[Method]:
        """How it can be asked why."""
        return ["occlusion", "gradcam"] if self.mapped else ["occlusion"]


@dataclass(frozen=True)
class AskedModel:
    """A model, and how it is asked; two that are equal may be asked together.

    Attributes:
        recogniser: What answers.
        source: Where the images come from, if that is known.
        with_map: Whether to answer where the network found the label, too.
    """

    recogniser: Recogniser
    source: Source | None = None
    with_map: bool = False

    def predict(self, images: Sequence[bytes], /) -> list[Answer]:
        """Return an answer for each encoded image, in their order."""
        return self.recogniser.read(images, [self.source] * len(images), with_map=self.with_map)
