"""The process that reads documents: `python -m bukva.serving.document_worker`.

What comes over its standard input, and what it answers, is in `bukva.serving.document_reader`.
"""

import os
import pickle
import resource
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import BinaryIO, Final

import cv2

from bukva.errors import ImageError, ModelFormatError
from bukva.serving.document_files import Page, read_page
from bukva.serving.document_reader import ReadDocument
from bukva.tasks.document.answer import Answer, Method
from bukva.tasks.document.explanation import draw_overlay_on_pixels, explain_pixels
from bukva.tasks.document.recogniser import DocumentRecogniser

_NICENESS: Final = 10
_MAX_MEMORY_BYTES: Final = 2 << 30
"""Of addresses; the largest page that may be read takes a third of it."""


def main() -> None:
    """Loads a model, and answers until nobody asks any more."""
    # Whoever started it says when to end, by closing the pipe.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    os.nice(_NICENESS)
    with suppress(ValueError):  # where the system knows no such limit
        resource.setrlimit(resource.RLIMIT_AS, (_MAX_MEMORY_BYTES, _MAX_MEMORY_BYTES))
    cv2.setNumThreads(1)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # libraries may print
    try:
        recogniser = _load(pickle.load(sys.stdin.buffer))  # noqa: S301 - of the service
    except ModelFormatError as error:
        _reply(error, answers)
        return
    _reply(None, answers)
    while True:
        try:
            files, number, method = pickle.load(sys.stdin.buffer)  # noqa: S301
        except EOFError:
            return
        try:
            _reply(read_documents(recogniser, files, number, method), answers)
        except Exception as error:  # onnxruntime may raise anything
            _reply(RuntimeError(f"{type(error).__name__}: {error}"), answers)


def _load(onnx_model: bytes) -> DocumentRecogniser:
    recogniser = DocumentRecogniser(onnx_model)
    if recogniser.task != "document":
        message = f"Expected a model of the task `document`, got one of `{recogniser.task}`."
        raise ModelFormatError(message)
    return recogniser


def _reply(value: object, answers: BinaryIO) -> None:
    pickle.dump(value, answers)
    answers.flush()


def read_documents(
    recogniser: DocumentRecogniser,
    files: Sequence[bytes],
    number: int = 1,
    method: Method | None = None,
) -> list[ReadDocument]:
    """Return what is answered to a page of each file; a bad one harms no other."""
    return [_read_or_refuse(recogniser, file, number, method) for file in files]


def _read_or_refuse(
    recogniser: DocumentRecogniser, file: bytes, number: int, method: Method | None
) -> ReadDocument:
    try:
        return _read(recogniser, read_page(file, number), method)
    except ImageError as error:
        return ReadDocument(Answer(error=error.code, error_detail=str(error)))


def _read(recogniser: DocumentRecogniser, page: Page, method: Method | None) -> ReadDocument:
    height, width = page.pixels.shape[:2]
    found = {"number": page.number, "count": page.count, "width": width, "height": height}
    if method is None:
        return ReadDocument(recogniser.answer_pixels(page.pixels), **found)
    explanation = explain_pixels(recogniser, page.pixels, method)
    overlay = draw_overlay_on_pixels(page.pixels, explanation)
    return ReadDocument(explanation.answer, overlay=overlay, **found)


if __name__ == "__main__":
    main()
