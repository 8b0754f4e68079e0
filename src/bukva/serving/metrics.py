"""What is told of answers: counters for Prometheus, and the prediction log, without the images."""

import json
import logging
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache, partial
from logging.handlers import QueueHandler, QueueListener, RotatingFileHandler
from pathlib import Path
from queue import Queue
from typing import Self

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from bukva.serving.logs import current_request, log_failure
from bukva.tasks.glyph.answer import Recognition

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
_SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1)


class Metrics:
    """The counters of one application.

    Labels hold nothing that a caller chooses freely: routes as they are written in the program,
    symbols of the alphabet, versions of the registry.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        counter = partial(Counter, registry=self._registry)
        gauge = partial(Gauge, registry=self._registry)
        histogram = partial(Histogram, registry=self._registry)
        self._requests = counter("bukva_requests", "Answered requests", ["route", "status"])
        self._seconds = histogram(
            "bukva_request_seconds", "From the first byte of a request to the last of its answer",
            ["route"], buckets=_SECONDS,
        )  # fmt: skip
        self._symbols = counter(
            "bukva_symbols", "Symbols that were read; `none` for refused images",
            ["model_version", "symbol"],
        )  # fmt: skip
        self._confidence = histogram(
            "bukva_confidence", "Confidence of what was read", ["model_version"], buckets=_SHARES
        )
        self._read = {
            "document": counter(
                "bukva_documents", "Pages that were read; `none` for those that could not be",
                ["model_version", "label"],
            ),
            "line": counter(
                "bukva_lines", "Lines that were read, with `text` or `empty`; `none` as above",
                ["model_version", "label"],
            ),
        }  # fmt: skip
        self._read_confidence = {
            task: histogram(
                f"bukva_{task}_confidence", "Confidence of what was said of them",
                ["model_version"], buckets=_SHARES,
            )
            for task in self._read
        }  # fmt: skip
        self._drift = gauge(
            "bukva_drift_psi", "How far what is asked is from what the model was measured on",
            ["measure"],
        )  # fmt: skip
        self._drift_alarm = gauge("bukva_drift_alarm", "1 where that is too far", ["measure"])
        self._feedback = gauge(
            "bukva_feedback", "Corrections in the folder: `waiting`, or `dead` (set aside)",
            ["state"],
        )  # fmt: skip
        self._feedback_bytes = gauge(
            "bukva_feedback_bytes", "What all files in the folder take of the disk"
        )
        delivered = counter("bukva_feedback_delivered", "Corrections that were delivered")
        lost_notes = counter(
            "bukva_prediction_log_lost", "Lines of the prediction log that could not be written"
        )
        self.count_delivered: Callable[[], None] = delivered.inc
        self.count_lost_note: Callable[[], None] = lost_notes.inc

        # To look a child up by its labels takes as long as all else here.
        self._of_request = cache(
            lambda route, status: (
                self._requests.labels(route, status), self._seconds.labels(route)
            )
        )  # fmt: skip
        self._of_symbol = cache(
            lambda version, symbol: (
                self._symbols.labels(version, symbol), self._confidence.labels(version)
            )
        )  # fmt: skip

    def count_request(self, route: str | None, status: int, seconds: float) -> None:
        """Counts an answered request; `route` is None where there is none."""
        requests, took = self._of_request(route or "none", status)
        requests.inc()
        took.observe(seconds)

    def refusal_counter(self, status: int) -> Callable[[str], None]:
        """Returns what counts requests of a route that were refused at once, and is quick."""
        counter_of = cache(lambda route: self._requests.labels(route, status))
        return lambda route: counter_of(route).inc()

    def count_symbol(self, recognition: Recognition, model_version: str) -> None:
        """Counts what was read in an image."""
        symbols, confidence = self._of_symbol(model_version, recognition.symbol or "none")
        symbols.inc()
        if recognition.confidence is not None:
            confidence.observe(recognition.confidence)

    def count_read(
        self, task: str, label: str, confidence: float | None, model_version: str
    ) -> None:
        """Counts what was said of a document, or of a line."""
        self._read[task].labels(model_version, label).inc()
        if confidence is not None:
            self._read_confidence[task].labels(model_version).observe(confidence)

    def set_drift(self, index: Mapping[str, float], alarm: float) -> None:
        """Shows the stability index of each measure, and whether it reaches `alarm`."""
        self._drift.clear()
        self._drift_alarm.clear()
        for measure, value in index.items():
            self._drift.labels(measure).set(value)
            self._drift_alarm.labels(measure).set(value >= alarm)

    def watch_feedback(self, state: str, count: Callable[[], int]) -> None:
        """Shows what `count` returns when the counters are read; it must be quick."""
        self._feedback.labels(state).set_function(count)

    def watch_feedback_bytes(self, count: Callable[[], int]) -> None:
        """Shows that too, of what the folder takes of the disk."""
        self._feedback_bytes.set_function(count)

    def write(self) -> bytes:
        """The counters as text, of type CONTENT_TYPE_LATEST."""
        return generate_latest(self._registry)


# As many lines wait for a disk that is slow; those beyond are lost, and counted.
_MAX_WAITING = 10_000


class PredictionLog:
    """Notes into `path` while it is entered, as a context manager.

    When the file has `max_bytes` it becomes `path.1`, the one of that name `path.2`, and so on.

    Args:
        path: The file; its folder is made. No other process may write to it.
        max_bytes: Size at which it is begun anew.
        files: Files put aside before the oldest is dropped.
        count_lost: Called for each line that could not be written.
    """

    def __init__(
        self, path: Path, max_bytes: int, files: int, count_lost: Callable[[], None]
    ) -> None:
        with suppress(OSError):  # what cannot be written is counted line by line
            path.parent.mkdir(parents=True, exist_ok=True)
        file = _File(path, maxBytes=max_bytes, backupCount=files, encoding="utf-8", delay=True)
        waiting = _Waiting(Queue(_MAX_WAITING))
        file.count_lost = waiting.count_lost = count_lost
        self._writer = QueueListener(waiting.queue, file)
        self._lines = logging.Logger("predictions")
        self._lines.addHandler(waiting)

    def __enter__(self) -> Self:
        self._writer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.stop()  # once all that waits is written
        for handler in self._writer.handlers:
            handler.close()

    def note(self, recognition: Recognition, model_version: str) -> None:
        """Notes what was read in an image of the current request."""
        request = current_request.get()
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "id": request.id if request else None,
            "model_version": model_version,
            "symbol": recognition.symbol,
            "confidence": recognition.confidence,
            "is_symbol": recognition.is_symbol,
            "latency_ms": request.ms if request else None,
        }
        self._lines.info(json.dumps(line, ensure_ascii=False))


class _Counting(logging.Handler):
    """Counts the lines that it loses, and logs why the first one was."""

    count_lost: Callable[[], None]
    _is_logged = False

    def handleError(self, _: logging.LogRecord) -> None:  # noqa: N802 - logging calls it so
        self.count_lost()
        if not self._is_logged:
            log_failure("prediction_not_logged", sys.exception())
        self._is_logged = True


class _Waiting(_Counting, QueueHandler):
    pass


class _File(_Counting, RotatingFileHandler):
    pass
