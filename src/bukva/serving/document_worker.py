"""The process that reads documents: `python -m bukva.serving.document_worker`.

What comes over its standard input, and what it answers, is in `bukva.serving.document_reader`.
"""

import os
import resource
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import BinaryIO, Final

from bukva.errors import ImageError, ModelFormatError
from bukva.serving.document_files import Page, read_page
from bukva.serving.document_reader import ReadDocument, read_message, write_message
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
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # libraries may print
    try:
        _, [onnx_model] = read_message(sys.stdin.buffer)
        recogniser = _load(onnx_model)
    except ModelFormatError as error:
        write_message(answers, {"no_model": str(error)})
        return
    write_message(answers, {})
    while True:
        try:
            asked, files = read_message(sys.stdin.buffer)
        except EOFError:
            return
        try:
            read = read_documents(recogniser, files, **asked)
        except Exception as error:  # onnxruntime may raise anything
            write_message(answers, {"failed": f"{type(error).__name__}: {error}"})
        else:
            _reply(answers, read)


def _load(onnx_model: bytes) -> DocumentRecogniser:
    recogniser = DocumentRecogniser(onnx_model)
    if recogniser.task != "document":
        message = f"Expected a model of the task `document`, got one of `{recogniser.task}`."
        raise ModelFormatError(message)
    return recogniser


def _reply(answers: BinaryIO, read: Sequence[ReadDocument]) -> None:
    rows = [
        {
            "answer": each.answer.model_dump(),
            "number": each.number,
            "count": each.count,
            "width": each.width,
            "height": each.height,
        }
        for each in read
    ]
    write_message(answers, {"read": rows}, [each.overlay for each in read])


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
