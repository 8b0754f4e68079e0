"""A model that tells handwriting from print, and how it is asked of one page of a file."""

from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bukva.core.golden import check_golden
from bukva.errors import ImageError, ModelError, ModelFormatError
from bukva.serving.document_files import Page, read_page
from bukva.serving.model import LoadedModel
from bukva.serving.problems import DOCUMENT_PROBLEMS
from bukva.tasks.document.answer import Answer
from bukva.tasks.document.explanation import Method, draw_overlay_on_pixels, explain_pixels
from bukva.tasks.document.recogniser import DocumentRecogniser

# A PNG of 160x48 pixels, one bit each, with a line of strokes; and bytes that are no document.
_LINE_PNG: Final = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAKAAAAAwAQAAAAC+0kzDAAAA/UlEQVR42u2SPW6DQBCFPwYUu7BESqdDygU4wion8S"
    "HcZ0t3adPhIueIKHIAH4GSci1RYAT7UuAfRW5yAL/q0xuN5s1oEnEv42H+x5wcP0wObmSM8M3YAGNzIR0rvehYSTpV"
    "+tTpQzIs8IqVwFDyxeDA6JwcXQFkBW8+W4OxXGOeHgi9IABGQ/S05zAJrM45Z6RdRV+3gHFYJdT3G41wAHhewoYnMD"
    "YXpI7TXDaIAxS33ux6EA+wT40SgUEKJWkH0MP+PKhDjgycQYFtMZgxINjSOzIM2NF7duATyEkCSDFXo5hrlBYK71oI"
    "SbmClKu/EpIqnaRK05WSx3v/1S+qWIOiPXMZ1QAAAABJRU5ErkJggg=="
)


class DocumentModel(LoadedModel[DocumentRecogniser]):
    """A model that tells handwriting from print."""

    @staticmethod
    def open(onnx_model: bytes) -> DocumentRecogniser:
        """Return the recogniser in an ONNX file."""
        recogniser = DocumentRecogniser(onnx_model)
        if recogniser.task != "document":
            message = f"Expected a model of the task `document`, got one of `{recogniser.task}`."
            raise ModelFormatError(message)
        return recogniser

    def check_probe(self) -> None:
        """Ask for a line of strokes, and for a text."""
        line, text = AskedDocument(self.recogniser).predict([_LINE_PNG, b"no document"])
        confidence = line.answer.confidence
        if line.answer.error or confidence is None or not 0 <= confidence <= 1:
            raise ModelError(f"Expected the model to read the probe, got {line.answer}.")
        if text.answer.error not in DOCUMENT_PROBLEMS:
            message = f"Expected the model to refuse text as a document, got {text.answer}."
            raise ModelError(message)

    def check_golden(self) -> None:
        """Ask for the golden samples of the dossier."""
        try:
            check_golden(self.recogniser, self.dossier.golden, field="label")
        except (ValueError, TypeError, KeyError) as error:
            message = "Expected golden samples that can be read in the dossier."
            raise ModelError(message) from error


@dataclass(frozen=True)
class ReadDocument:
    """What was answered.

    Attributes:
        answer: To the page.
        page: As it was read, None where it could not be.
        overlay: A PNG file of the page that shows where the answer comes from, if that was asked.
    """

    answer: Answer
    page: Page | None = None
    overlay: bytes = b""


@dataclass(frozen=True)
class AskedDocument:
    """A model, and how it is asked.

    Attributes:
        recogniser: What answers.
        number: Of the page, from 1.
        method: How to find out what the answer rests on, if that is asked.
    """

    recogniser: DocumentRecogniser
    number: int = 1
    method: Method | None = None

    def predict(self, files: Sequence[bytes], /) -> list[ReadDocument]:
        """Return an answer for each file, in their order."""
        return [self._read_or_refuse(file) for file in files]

    def _read_or_refuse(self, file: bytes) -> ReadDocument:
        try:
            return self._read(read_page(file, self.number))
        except ImageError as error:
            return ReadDocument(Answer(error=error.code, error_detail=str(error)))

    def _read(self, page: Page) -> ReadDocument:
        if self.method is None:
            return ReadDocument(self.recogniser.answer_pixels(page.pixels), page)
        explanation = explain_pixels(self.recogniser, page.pixels, self.method)
        overlay = draw_overlay_on_pixels(page.pixels, explanation)
        return ReadDocument(explanation.answer, page, overlay)
