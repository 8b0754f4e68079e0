"""The models that are asked in processes of their own, and what each must know."""

from base64 import b64decode
from collections.abc import Collection
from typing import Any, ClassVar, Final

from bukva.core.golden import check_golden
from bukva.errors import ModelError
from bukva.serving.model import LoadedModel
from bukva.serving.problems import DOCUMENT_PROBLEMS, LINE_PROBLEMS
from bukva.serving.reader_process import R, ReadDocument, ReaderProcess, ReadLine

# A PNG of 160x48 pixels, one bit each, with a line of strokes.
_STROKES_PNG: Final = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAKAAAAAwAQAAAAC+0kzDAAAA/UlEQVR42u2SPW6DQBCFPwYUu7BESqdDygU4wion8S"
    "HcZ0t3adPhIueIKHIAH4GSci1RYAT7UuAfRW5yAL/q0xuN5s1oEnEv42H+x5wcP0wObmSM8M3YAGNzIR0rvehYSTpV"
    "+tTpQzIs8IqVwFDyxeDA6JwcXQFkBW8+W4OxXGOeHgi9IABGQ/S05zAJrM45Z6RdRV+3gHFYJdT3G41wAHhewoYnMD"
    "YXpI7TXDaIAxS33ux6EA+wT40SgUEKJWkH0MP+PKhDjgycQYFtMZgxINjSOzIM2NF7duATyEkCSDFXo5hrlBYK71oI"
    "SbmClKu/EpIqnaRK05WSx3v/1S+qWIOiPXMZ1QAAAABJRU5ErkJggg=="
)


class ReaderModel(LoadedModel[ReaderProcess[R]]):
    """A model in a process of its own.

    Attributes:
        kind: What it answers.
        probe: A picture that it must read.
        problems: What pictures may be refused for.
        golden_field: Of the answers to golden samples, what must not change.
    """

    kind: ClassVar[Any]
    probe: ClassVar[bytes]
    problems: ClassVar[Collection[str]]
    golden_field: ClassVar[str]

    @classmethod
    def open(cls, onnx_model: bytes, deadline_s: float) -> ReaderProcess[R]:
        """Return the process that answers with an ONNX file."""
        return ReaderProcess(cls.kind, onnx_model, deadline_s)

    def check_probe(self) -> None:
        """Ask for a picture that can be read, and for a text."""
        picture, text = self.recogniser.answer([self.probe, b"no picture"])
        if picture.error or not self.is_sound(picture):
            raise ModelError(f"Expected the model to read the probe, got {picture}.")
        if text.error not in self.problems:
            raise ModelError(f"Expected the model to refuse text as a picture, got {text}.")

    @staticmethod
    def is_sound(answer: Any) -> bool:
        """Return whether an answer to the probe is one at all, whatever it says."""
        return answer.confidence is not None and 0 <= answer.confidence <= 1

    def check_golden(self) -> None:
        """Ask for the golden samples of the dossier."""
        try:
            check_golden(self.recogniser, self.dossier.golden, field=self.golden_field)
        except (ValueError, TypeError, KeyError) as error:
            message = "Expected golden samples that can be read in the dossier."
            raise ModelError(message) from error

    def close(self) -> None:
        """End its process."""
        self.recogniser.close()


class DocumentModel(ReaderModel[ReadDocument]):
    """A model that tells handwriting from print."""

    kind = ReadDocument
    probe = _STROKES_PNG
    problems = DOCUMENT_PROBLEMS
    golden_field = "label"


class LineModel(ReaderModel[ReadLine]):
    """A model that reads lines."""

    kind = ReadLine
    probe = _STROKES_PNG
    problems = LINE_PROBLEMS
    golden_field = "text"

    @staticmethod
    def is_sound(answer: Any) -> bool:
        """Return whether an answer to the probe is one at all; strokes may say nothing."""
        return answer.text == "" or ReaderModel.is_sound(answer)
