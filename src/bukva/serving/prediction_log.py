"""The prediction log: one JSON line for each image that was answered, without the image.

Written in a thread of its own: no request waits for the disk, or fails with it.
"""

import json
import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import QueueHandler, QueueListener, RotatingFileHandler
from pathlib import Path
from queue import Queue
from typing import Self

from bukva.serving.current_request import current_request
from bukva.serving.logs import log_failure
from bukva.serving.schemas import Recognition
from bukva.serving.settings import Settings

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
        waiting: Queue[logging.LogRecord] = Queue(_MAX_WAITING)
        losses = _Losses(count_lost)
        self._writer = QueueListener(waiting, _File(path, max_bytes, files, losses))
        # Not one of logging's tree: Kedro reconfigures that while a packaged model loads.
        self._lines = logging.Logger("predictions")
        self._lines.addHandler(_Waiting(waiting, losses))

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


class _Losses:
    """Counts lines that are lost, and logs why the first one was."""

    def __init__(self, count: Callable[[], None]) -> None:
        self._count = count
        self._is_logged = False

    def add(self) -> None:
        self._count()
        if not self._is_logged:
            log_failure("prediction_not_logged", sys.exception())
        self._is_logged = True


class _Waiting(QueueHandler):
    def __init__(self, waiting: Queue[logging.LogRecord], losses: _Losses) -> None:
        super().__init__(waiting)
        self._losses = losses

    def handleError(self, _: logging.LogRecord) -> None:  # noqa: N802
        self._losses.add()


class _File(RotatingFileHandler):
    def __init__(self, path: Path, max_bytes: int, files: int, losses: _Losses) -> None:
        super().__init__(path, maxBytes=max_bytes, backupCount=files, encoding="utf-8", delay=True)
        self._losses = losses

    def _open(self) -> TextIOWrapper:
        Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True)
        return super()._open()

    def handleError(self, _: logging.LogRecord) -> None:  # noqa: N802
        self._losses.add()


def make_prediction_log(settings: Settings, count_lost: Callable[[], None]) -> PredictionLog | None:
    """The log that `settings` ask for, if they do."""
    if settings.prediction_log is None:
        return None
    return PredictionLog(
        settings.prediction_log,
        settings.prediction_log_max_bytes,
        settings.prediction_log_files,
        count_lost,
    )
