"""A model that tells handwriting from print, and how it is asked of one page of a file."""

from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bukva.core.golden import check_golden
from bukva.errors import ModelError
from bukva.serving.document_reader import DocumentReader, ReadDocument
from bukva.serving.model import LoadedModel
from bukva.serving.problems import DOCUMENT_PROBLEMS
from bukva.tasks.document.answer import Method

# A PNG of 160x48 pixels, one bit each, with a line of strokes; and bytes that are no document.
_LINE_PNG: Final = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAKAAAAAwAQAAAAC+0kzDAAAA/UlEQVR42u2SPW6DQBCFPwYUu7BESqdDygU4wion8S"
    "HcZ0t3adPhIueIKHIAH4GSci1RYAT7UuAfRW5yAL/q0xuN5s1oEnEv42H+x5wcP0wObmSM8M3YAGNzIR0rvehYSTpV"
    "+tTpQzIs8IqVwFDyxeDA6JwcXQFkBW8+W4OxXGOeHgi9IABGQ/S05zAJrM45Z6RdRV+3gHFYJdT3G41wAHhewoYnMD"
    "YXpI7TXDaIAxS33ux6EA+wT40SgUEKJWkH0MP+PKhDjgycQYFtMZgxINjSOzIM2NF7duATyEkCSDFXo5hrlBYK71oI"
    "SbmClKu/EpIqnaRK05WSx3v/1S+qWIOiPXMZ1QAAAABJRU5ErkJggg=="
)


class DocumentModel(LoadedModel[DocumentReader]):
    """A model that tells handwriting from print."""

    @staticmethod
    def open(onnx_model: bytes, deadline_s: float) -> DocumentReader:
        """Return the process that reads documents with an ONNX file."""
        return DocumentReader(onnx_model, deadline_s)

    def check_probe(self) -> None:
        """Ask for a line of strokes, and for a text."""
        line, text = self.recogniser.answer([_LINE_PNG, b"no document"])
        if line.error or line.confidence is None or not 0 <= line.confidence <= 1:
            raise ModelError(f"Expected the model to read the probe, got {line}.")
        if text.error not in DOCUMENT_PROBLEMS:
            raise ModelError(f"Expected the model to refuse text as a document, got {text}.")

    def check_golden(self) -> None:
        """Ask for the golden samples of the dossier."""
        try:
            check_golden(self.recogniser, self.dossier.golden, field="label")
        except (ValueError, TypeError, KeyError) as error:
            message = "Expected golden samples that can be read in the dossier."
            raise ModelError(message) from error

    def close(self) -> None:
        """End its process."""
        self.recogniser.close()


@dataclass(frozen=True)
class AskedDocument:
    """A model, and how it is asked.

    Attributes:
        reader: What answers.
        number: Of the page, from 1.
        method: How to find out what the answer rests on, if that is asked.
    """

    reader: DocumentReader
    number: int = 1
    method: Method | None = None

    def predict(self, files: Sequence[bytes], /) -> list[ReadDocument]:
        """Return an answer for each file, in their order."""
        return self.reader.ask(files, self.number, self.method)
