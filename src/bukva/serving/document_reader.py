"""Documents are read in a process of their own, at a lower priority than letters.

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
from dataclasses import dataclass
from typing import IO, Any, Final

from bukva.errors import ModelError, ModelFormatError
from bukva.tasks.document.answer import Answer, Method

_COMMAND: Final = (sys.executable, "-m", "bukva.serving.document_worker")
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


@dataclass(frozen=True)
class ReadDocument:
    """What was answered to a page, and which one it was; zeros where it could not be read.

    Attributes:
        answer: To the page.
        number: Which one, from 1.
        count: How many the file has.
        width: Of the page as it was read, in pixels.
        height: Likewise.
        overlay: A PNG file of the page that shows where the answer comes from, if that was asked.
    """

    answer: Answer
    number: int = 0
    count: int = 0
    width: int = 0
    height: int = 0
    overlay: bytes = b""


class DocumentReader:
    """The process with one model; it answers one question at a time.

    One that ended, or was ended because it was late, is started anew for the next question.
    """

    def __init__(self, onnx_model: bytes, deadline_s: float) -> None:
        """Start it.

        Raises:
            ModelFormatError: If the file is no model of documents.
            ModelError: If the process does not come up.
        """
        self._onnx_model = onnx_model
        self._deadline_s = deadline_s
        self._one_at_a_time = threading.Lock()
        self._process = self._start()

    def ask(
        self, files: Sequence[bytes], number: int = 1, method: Method | None = None
    ) -> list[ReadDocument]:
        """Return what is answered to a page of each file, in their order.

        Args:
            files: Of any of the kinds that `bukva.serving.document_files` reads.
            number: Of the page, from 1.
            method: How to find out what the answer rests on, if that is asked.

        Raises:
            ModelError: If the process ended, or had to be ended because it was late.
        """
        with self._one_at_a_time:
            if self._process.poll() is not None:
                self._process = self._start()
            asked = {"number": number, "method": method}
            head, overlays = self._exchange(self._process, asked, files)
            return [
                ReadDocument(Answer.model_validate(row.pop("answer")), **row, overlay=overlay)
                for row, overlay in zip(head["read"], overlays, strict=True)
            ]

    def answer(self, images: Sequence[bytes]) -> list[Answer]:
        """Return an answer for each encoded image."""
        return [read.answer for read in self.ask(images)]

    def _start(self) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(_COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
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
        if process.stdin is None or process.stdout is None:
            raise ModelError("Expected pipes to the process that reads documents, got none.")
        with self._watched(process):
            try:
                write_message(process.stdin, asked, files)
                head, replied = read_message(process.stdout)
            except (OSError, EOFError, ValueError) as error:
                process.kill()
                process.wait()
                message = "Expected an answer of the process that reads documents, but it ended."
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
