"""Documents and lines are read in a process of their own each, at a lower priority than letters.

In the service's process, Python's lock would be shared with it: letters would wait. And what a
crafted PDF breaks, or keeps busy, is ended without harm to anybody else. Nor is it believed: what
it answers is JSON and files, which can run nothing.
"""

import json
import struct
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO, Any, ClassVar, Final, Generic, TypeVar

from pydantic import BaseModel, Field

from bukva.errors import ModelError, ModelFormatError
from bukva.tasks.document import answer as document
from bukva.tasks.line import answer as line

_WORKER: Final = (sys.executable, "-m", "bukva.serving.reader_worker")
_END_S: Final = 2.0
_LENGTH: Final = struct.Struct("<Q")
_MOST_BYTES: Final = 1 << 28


def write_message(stream: IO[bytes], head: Mapping[str, Any], files: Sequence[bytes] = ()) -> None:
    """Write a JSON object, after its length, and files after it."""
    text = json.dumps({**head, "bytes": [len(file) for file in files]}).encode()
    stream.write(_LENGTH.pack(len(text)) + text)
    for file in files:
        stream.write(file)
    stream.flush()


def read_message(stream: IO[bytes]) -> tuple[dict[str, Any], list[bytes]]:
    """Return what `write_message` wrote on the other side.

    Raises:
        EOFError: If the other side has ended.
        ValueError: If it wrote something else.
    """
    [length] = _LENGTH.unpack(_read_all(stream, _LENGTH.size))
    head = json.loads(_read_all(stream, length))
    if not isinstance(head, dict) or "bytes" not in head:
        raise ValueError("Expected a JSON object with `bytes`, got something else.")
    return head, [_read_all(stream, length) for length in head.pop("bytes")]


def _read_all(stream: IO[bytes], length: int) -> bytes:
    if not 0 <= length <= _MOST_BYTES:
        raise ValueError(f"Expected at most {_MOST_BYTES} bytes, got {length}.")
    content = stream.read(length)
    if len(content) < length:
        raise EOFError("Expected more, but the other side has ended.")
    return content


class Read(BaseModel):
    """What was answered to the picture in a file; zeros where it could not be read.

    Attributes:
        task: Whose process reads it.
        answer: With an `error`, if the picture cannot be used.
        width: Of the picture, in the pixels that places in the answer are told in.
        height: Likewise.
        attached: A file that belongs to the answer, if one was asked for.
    """

    task: ClassVar[str]

    answer: Any
    width: int = 0
    height: int = 0
    attached: bytes = Field(b"", exclude=True)


class ReadDocument(Read):
    """What was answered to a page; what is attached shows on it where the answer comes from.

    Attributes:
        number: Which page, from 1.
        count: How many the file has.
    """

    task: ClassVar = "document"

    answer: document.Answer
    number: int = 0
    count: int = 0


class ReadLine(Read):
    """What was answered to the picture of a line, with places on the picture that was sent."""

    task: ClassVar = "line"

    answer: line.Answer


R = TypeVar("R", bound=Read)


class ReaderProcess(Generic[R]):
    """The process with one model; it answers one question at a time.

    One that ended, or was ended because it was late, is started anew for the next question.
    """

    def __init__(self, kind: type[R], onnx_model: bytes, deadline_s: float) -> None:
        """Start it.

        Args:
            kind: What it answers.
            onnx_model: The bytes of the file.
            deadline_s: Nobody waits longer for an answer.

        Raises:
            ModelFormatError: If the file is no model of the task.
            ModelError: If the process does not come up.
        """
        self._kind = kind
        self._onnx_model = onnx_model
        self._deadline_s = deadline_s
        self._one_at_a_time = threading.Lock()
        self._process = self._start()

    def ask(self, files: Sequence[bytes], **question: Any) -> list[R]:
        """Return what is answered to each file, in their order.

        Args:
            files: Of any of the kinds that the task reads.
            question: How it is asked, as `bukva.serving.reader_worker` reads it.

        Raises:
            ModelError: If the process ended, or had to be ended because it was late.
        """
        with self._one_at_a_time:
            if self._process.poll() is not None:
                self._process = self._start()
            head, attached = self._exchange(self._process, question, files)
        rows = zip(head["read"], attached, strict=True)
        return [self._kind.model_validate({**row, "attached": file}) for row, file in rows]

    def answer(self, images: Sequence[bytes]) -> list[Any]:
        """Return an answer for each encoded image."""
        return [read.answer for read in self.ask(images)]

    def _start(self) -> "subprocess.Popen[bytes]":
        command = (*_WORKER, self._kind.task)
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
        self._end_it = weakref.finalize(self, _end, process)
        try:
            self._exchange(process, {}, [self._onnx_model])
        except ModelError:
            self.close()
            raise
        return process

    def close(self) -> None:
        """Ends the process."""
        self._end_it()

    def _exchange(
        self, process: "subprocess.Popen[bytes]", asked: Mapping[str, Any], files: Sequence[bytes]
    ) -> tuple[dict[str, Any], list[bytes]]:
        name = f"process of the task `{self._kind.task}`"
        if process.stdin is None or process.stdout is None:
            raise ModelError(f"Expected pipes to the {name}, got none.")
        with self._watched(process):
            try:
                write_message(process.stdin, asked, files)
                head, replied = read_message(process.stdout)
            except (OSError, EOFError, ValueError) as error:
                process.kill()
                process.wait()
                message = f"Expected an answer of the {name}, but it ended."
                raise ModelError(message) from error
        if "no_model" in head:
            raise ModelFormatError(head["no_model"])
        if "failed" in head:
            raise ModelError(head["failed"])
        return head, replied

    @contextmanager
    def _watched(self, process: "subprocess.Popen[bytes]") -> Iterator[None]:
        """Ends the process if it is late, so that it does not keep all others waiting."""
        watch = threading.Timer(self._deadline_s, process.kill)
        watch.daemon = True
        watch.start()
        try:
            yield
        finally:
            watch.cancel()


def _end(process: "subprocess.Popen[bytes]") -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe:
            with suppress(OSError):
                pipe.close()
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@dataclass(frozen=True)
class AskedReader(Generic[R]):
    """A process, and how it is asked.

    Attributes:
        reader: What answers.
        question: As `ReaderProcess.ask` takes it.
    """

    reader: ReaderProcess[R]
    question: Mapping[str, Any] = field(default_factory=dict)

    def predict(self, files: Sequence[bytes], /) -> list[R]:
        """Return an answer for each file, in their order."""
        return self.reader.ask(files, **self.question)
