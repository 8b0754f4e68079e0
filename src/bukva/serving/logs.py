"""The service's log: one JSON object a line on standard output, without any image.

Around every line is the request that is being answered.
"""

import atexit
import json
import logging
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Final, TextIO


@dataclass(frozen=True)
class CurrentRequest:
    """One request, from its first byte on."""

    id: str
    started_s: float  # of time.perf_counter

    @property
    def ms(self) -> float:
        """Milliseconds since it began."""
        return round((time.perf_counter() - self.started_s) * 1000, 2)


_random = Random()  # noqa: S311 - an id is no secret


def new_id() -> str:
    """Returns 32 hexadecimal digits that nobody had before; they can be foretold.

    From a generator of this process: asking the system for chance takes longer than reading the
    request does.
    """
    return f"{_random.getrandbits(128):032x}"


current_request: ContextVar[CurrentRequest | None] = ContextVar("current_request", default=None)


_LOGGER = logging.getLogger("bukva_serving")
_GATHERED_S: Final = 0.02
"""So long a line may wait for others: a write takes a tenth of a request, however many it has."""


class JsonFormatter(logging.Formatter):
    """Writes a record and its `fields` as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Returns the line, without a newline at its end or in it."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class GatheringHandler(logging.Handler):
    """Writes the lines of a moment together, and a warning or worse at once."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._lines: list[str] = []
        self._has_lines = threading.Event()
        threading.Thread(target=self._flush_by_and_by, name="log", daemon=True).start()
        atexit.register(self.flush)

    def emit(self, record: logging.LogRecord) -> None:
        """Takes a line."""
        self._lines.append(self.format(record))
        if record.levelno >= logging.WARNING:
            self.flush()
        else:
            self._has_lines.set()

    def flush(self) -> None:
        """Writes what waits."""
        self.acquire()
        try:
            lines, self._lines = self._lines, []
            # Where nobody reads the log any more, there is nobody to tell.
            with suppress(OSError, ValueError):
                self._stream.write("".join(f"{line}\n" for line in lines))
                self._stream.flush()
        finally:
            self.release()

    def _flush_by_and_by(self) -> None:
        while self._has_lines.wait():
            time.sleep(_GATHERED_S)
            self._has_lines.clear()
            self.flush()


def configure_logging() -> None:
    """Gives standard output to the events of the service and of uvicorn.

    Whatever else is printed, by a library for instance, goes to standard error: each line of the
    log must be JSON.
    """
    handler = GatheringHandler(sys.stdout)
    sys.stdout = sys.stderr
    handler.setFormatter(JsonFormatter())
    for logger in (_LOGGER, logging.getLogger("uvicorn.error")):
        logger.handlers = [handler]
        logger.setLevel(logging.INFO)
        logger.propagate = False
    # Its warnings quote the bodies of requests.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)


def log_event(event: str, **fields: object) -> None:
    """Logs that `event` happened, with the id of the request in which it did."""
    _LOGGER.info(event, extra={"fields": _with_id(fields)})


def log_failure(event: str, cause: BaseException | None, **fields: object) -> None:
    """Logs that `event` happened, with the stack trace of its cause where there is one."""
    _LOGGER.error(event, extra={"fields": _with_id(fields)}, exc_info=cause)


def _with_id(fields: Mapping[str, object]) -> Mapping[str, object]:
    request = current_request.get()
    return fields if request is None else {"id": request.id, **fields}
