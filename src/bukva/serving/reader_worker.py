"""The process that reads documents, or lines: `python -m bukva.serving.reader_worker TASK`.

What comes over its standard input, and what it answers, is in `bukva.serving.reader_process`.
"""

import os
import resource
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from bukva.core.predictor import OnnxModel
from bukva.errors import ImageError, ModelFormatError
from bukva.serving.picture_files import read_page, read_picture
from bukva.serving.reader_process import (
    Read,
    ReadDocument,
    ReadLine,
    read_message,
    write_message,
)
from bukva.tasks.document.answer import Method
from bukva.tasks.document.explanation import draw_overlay_on_pixels, explain_pixels
from bukva.tasks.document.recogniser import DocumentRecogniser
from bukva.tasks.line.answer import Answer, Decoding, Language
from bukva.tasks.line.recogniser import LineRecogniser

_NICENESS: Final = 10
_MAX_MEMORY_BYTES: Final = 2 << 30
"""Of addresses; the largest page that may be read takes a third of it."""


class _Task(NamedTuple):
    """How a task is read.

    Attributes:
        load: Makes the recogniser of an ONNX file.
        read: What is answered to a file: of the recogniser, the file, and the question by name.
        kind: Of the answers.
    """

    load: Callable[[bytes], OnnxModel]
    read: Callable[..., Read]
    kind: type[Read]


def _read_document(
    recogniser: DocumentRecogniser, file: bytes, number: int = 1, method: Method | None = None
) -> ReadDocument:
    """Return what is answered to a page.

    Args:
        recogniser: What answers.
        file: Of an image, a TIFF or a PDF.
        number: Of the page, from 1.
        method: How to find out what the answer rests on, if that is asked.
    """
    page = read_page(file, number)
    height, width = page.pixels.shape[:2]
    found = {"number": page.number, "count": page.count, "width": width, "height": height}
    if method is None:
        return ReadDocument(answer=recogniser.answer_pixels(page.pixels), **found)
    explanation = explain_pixels(recogniser, page.pixels, method)
    overlay = draw_overlay_on_pixels(page.pixels, explanation)
    return ReadDocument(answer=explanation.answer, attached=overlay, **found)


def _read_line(
    recogniser: LineRecogniser,
    file: bytes,
    language: Language | None = None,
    decoding: Decoding | None = None,
) -> ReadLine:
    """Return what is answered to the picture of a line.

    Args:
        recogniser: What answers.
        file: Of an image, or a TIFF, of which the first page is taken.
        language: What the line is written in, if that is known.
        decoding: How its text is looked for; as the model has it by default.
    """
    if language is not None and language not in recogniser.languages:
        read = ", ".join(recogniser.languages)
        detail = f"This model reads {read}. Ask without `language`."
        return ReadLine(answer=Answer(error="method_unavailable", error_detail=detail))
    picture = read_picture(file)
    width, height = picture.sent_size
    across, down = width / picture.pixels.shape[1], height / picture.pixels.shape[0]
    answer = recogniser.answer_pixels(picture.pixels, language=language, decoding=decoding)
    return ReadLine(answer=answer.scaled(across, down), width=width, height=height)


_TASKS: Final[Mapping[str, _Task]] = MappingProxyType(
    {
        "document": _Task(DocumentRecogniser, _read_document, ReadDocument),
        "line": _Task(LineRecogniser, _read_line, ReadLine),
    }
)


def main(name: str) -> None:
    """Loads a model of a task, and answers until nobody asks any more."""
    # Whoever started it says when to end, by closing the pipe.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    os.nice(_NICENESS)
    with suppress(ValueError):  # where the system knows no such limit
        resource.setrlimit(resource.RLIMIT_AS, (_MAX_MEMORY_BYTES, _MAX_MEMORY_BYTES))
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # libraries may print
    task = _TASKS[name]
    try:
        _, [onnx_model] = read_message(sys.stdin.buffer)
        recogniser = _load(name, onnx_model)
    except ModelFormatError as error:
        write_message(answers, {"no_model": str(error)})
        return
    write_message(answers, {})
    while True:
        try:
            question, files = read_message(sys.stdin.buffer)
        except EOFError:
            return
        try:
            read = _read_files(task, recogniser, files, question)
        except Exception as error:  # onnxruntime may raise anything
            write_message(answers, {"failed": f"{type(error).__name__}: {error}"})
        else:
            rows = [each.model_dump() for each in read]
            write_message(answers, {"read": rows}, [each.attached for each in read])


def _load(name: str, onnx_model: bytes) -> OnnxModel:
    recogniser = _TASKS[name].load(onnx_model)
    if recogniser.task != name:
        message = f"Expected a model of the task `{name}`, got one of `{recogniser.task}`."
        raise ModelFormatError(message)
    return recogniser


def _read_files(
    task: _Task, recogniser: OnnxModel, files: Sequence[bytes], question: Mapping[str, Any]
) -> list[Read]:
    """Return what is answered to each file; a bad one harms no other."""
    return [_read_or_refuse(task, recogniser, file, question) for file in files]


def _read_or_refuse(
    task: _Task, recogniser: OnnxModel, file: bytes, question: Mapping[str, Any]
) -> Read:
    try:
        return task.read(recogniser, file, **question)
    except ImageError as error:
        refusal = {"error": error.code, "error_detail": str(error)}
        return task.kind.model_validate({"answer": refusal})


if __name__ == "__main__":
    main(sys.argv[1])
