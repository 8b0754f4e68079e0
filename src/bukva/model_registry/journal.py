"""What the tracking server has not taken yet, in files: one line a request, flushed to the disk.

A file belongs to the process that writes it, which holds its lock. One without a lock was left
behind, and whoever comes next delivers it. It is there only while something in it is undelivered.
"""

import fcntl
import json
import os
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

Request = dict[str, Any]

_PATTERN: Final = "*.jsonl"
_REFUSED: Final = "refused.txt"


class Journal:
    """The requests of one process to one server that are still to be delivered.

    Args:
        folder: Where journals lie; made when there is something to write.
        server: Address of the tracking server.
    """

    def __init__(self, folder: Path, server: str) -> None:
        self.folder = folder
        self._server = server
        self._path = folder
        self._file: IO[str] | None = None

    def append(self, request: Request) -> None:
        """Keep a request; it is on the disk when this returns."""
        if self._file is None:
            self._file = self._open()
        self._write(self._file, request)

    def clear(self) -> None:
        """Forget all: everything was delivered."""
        if self._file is not None:
            self._path.unlink()
            self._file.close()
            self._file = None

    def set_aside(self, request: Request, reason: str) -> None:
        """Keep a request that the server will never take, with its reason, for a person to see."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / _REFUSED).open("a", encoding="utf-8") as file:
            self._write(file, {"server": self._server, "reason": reason, **request})

    def _open(self) -> IO[str]:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._path = self.folder / f"{uuid.uuid4().hex}.jsonl"
        # Locked under a name that nobody looks for: else it could be taken for one left behind.
        hidden = self._path.with_suffix(".new")
        file = hidden.open("x", encoding="utf-8")
        fcntl.flock(file, fcntl.LOCK_EX)
        self._write(file, {"server": self._server})
        hidden.rename(self._path)
        return file

    @staticmethod
    def _write(file: IO[str], line: Request) -> None:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())


class LeftJournal(NamedTuple):
    """A journal whose writer has ended, and whose lock is held until the next one is asked for.

    Attributes:
        path: To be unlinked when everything is delivered.
        server: What it was written for.
        requests: In their order; a last line that was cut off by a kill is left out.
    """

    path: Path
    server: str
    requests: list[Request]


def left_behind(folder: Path) -> Iterator[LeftJournal]:
    """Yield the journals of a folder that no living process writes to."""
    for path in sorted(folder.glob(_PATTERN)):
        with suppress(FileNotFoundError), path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            header, *requests = list(_read_whole_lines(file)) or [{"server": ""}]
            yield LeftJournal(path, header["server"], requests)


def _read_whole_lines(file: IO[bytes]) -> Iterator[Request]:
    for line in file:
        if line.endswith(b"\n"):
            yield json.loads(line)
