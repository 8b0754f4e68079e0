"""What runs log to an MLflow server: on the disk first, then delivered in its order by a thread.

So a run goes on, and loses nothing, where the server dies. A file belongs to the process that
writes it, which holds its lock; one without a lock was left behind, and whoever comes next
delivers it. It is there only while something in it is undelivered. To deliver twice is harmless: a
metric carries its time, and one with the same step, time and value is one row of MLflow's.
"""

import fcntl
import json
import logging
import os
import threading
import time
import uuid
from collections import Counter, deque
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Final

from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bukva.errors import TrackingUnreachableError

logger = logging.getLogger(__name__)

KEY_TAG: Final = "bukva.key"
"""Names a run that may be made later: whoever makes it looks first whether it is there."""

JOURNALS: Final = "tracking_journals"
"""The folder under `storage.local` of an environment in which its runs keep journals."""

_REFUSED: Final = "refused.txt"
_LONGEST_PAUSE_S: Final = 5.0
# The server's database went away: MLflow says 503, or of a few of its errors 400 BAD_REQUEST.
_PASSING: Final = ("TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED", "BAD_REQUEST")

_PLAIN: Final = ConfigDict(extra="forbid", frozen=True)


class Logged(BaseModel):
    """Something that a run logs.

    Attributes:
        metrics: Numbers by name, all at one `step`.
        files: Their contents, by path under the artifacts of the run.
        status: How the run ended, empty where it did not.
    """

    model_config = _PLAIN | ConfigDict(
        ser_json_bytes="base64", val_json_bytes="base64", ser_json_inf_nan="constants"
    )
    metrics: dict[str, float] = {}
    step: int = 0
    params: dict[str, str] = {}
    tags: dict[str, str] = {}
    files: dict[str, bytes] = {}
    status: str = ""
    time_ms: int = Field(default_factory=lambda: int(1000 * time.time()))


class TrackedRun(BaseModel):
    """A run that may be logged to from any thread or process; plain data.

    Attributes:
        key: Of another run of the experiment, which is meant instead, and made if it is not there.
        journals: Where what is logged lies until the server has it; None to log it at once.
    """

    model_config = _PLAIN
    server: str
    experiment_id: str
    run_id: str
    key: str = ""
    journals: Path | None = None

    def log(self, logged: Logged) -> None:
        """Log something; with a journal, nobody waits for the server."""
        if self.journals is None:
            deliver(self, logged)
        else:
            open_journal(self.journals, self.server).append(Entry(run=self, logged=logged))

    def wait(self, timeout_s: float) -> int:
        """Wait until the server has what this process logged; return how much it has not."""
        if self.journals is None:
            return 0
        return open_journal(self.journals, self.server).wait(timeout_s)


class Entry(BaseModel):
    """A line of a journal."""

    model_config = _PLAIN
    run: TrackedRun
    logged: Logged


def deliver(run: TrackedRun, logged: Logged) -> None:
    """Log something, by MLflow's client.

    Raises:
        MlflowException: If the server refuses it, or does not answer.
    """
    client = MlflowClient(run.server)
    run_id = _find_or_make(client, run, logged) if run.key else run.run_id
    client.log_batch(
        run_id,
        [Metric(key, value, logged.time_ms, logged.step) for key, value in logged.metrics.items()],
        [Param(key, value) for key, value in logged.params.items()],
        [RunTag(key, value) for key, value in logged.tags.items()],
    )
    with TemporaryDirectory() as folder:
        for path, content in logged.files.items():
            file = Path(folder, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        if logged.files:
            client.log_artifacts(run_id, folder)
    if logged.status:
        client.set_terminated(run_id, logged.status, logged.time_ms)


def _find_or_make(client: MlflowClient, run: TrackedRun, logged: Logged) -> str:
    named = f"tags.`{KEY_TAG}` = '{run.key}'"
    for found in client.search_runs([run.experiment_id], named, max_results=1):
        return str(found.info.run_id)
    tags = {**logged.tags, KEY_TAG: run.key}
    return str(client.create_run(run.experiment_id, logged.time_ms, tags).info.run_id)


class Journal:
    """The entries of one process that are still to be delivered.

    Args:
        folder: Where journals lie; made when there is something to write.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder
        self._file: IO[str] | None = None
        self._waiting: deque[Entry] = deque()
        self._changed = threading.Condition()
        threading.Thread(target=self._deliver_all, daemon=True).start()

    def append(self, entry: Entry) -> None:
        """Keep an entry until it is delivered; it is on the disk when this returns."""
        with self._changed:
            if self._file is None:
                self._file = self._open()
            _write(self._file, entry.model_dump_json())
            self._waiting.append(entry)
            self._changed.notify_all()

    def wait(self, timeout_s: float) -> int:
        """Wait until everything is delivered; return how much is not."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting, timeout_s)
            return len(self._waiting)

    def _open(self) -> IO[str]:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._path = self._folder / f"{uuid.uuid4().hex}.jsonl"
        # Locked under a name that nobody looks for: else it could be taken for one left behind.
        hidden = self._path.with_suffix(".new")
        file = hidden.open("x", encoding="utf-8")
        fcntl.flock(file, fcntl.LOCK_EX)
        hidden.rename(self._path)
        return file

    def _deliver_all(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                entry = self._waiting[0]
            self._deliver_patiently(entry)
            with self._changed:
                self._waiting.popleft()
                if not self._waiting and self._file is not None:
                    self._path.unlink()
                    self._file.close()
                    self._file = None
                self._changed.notify_all()

    def _deliver_patiently(self, entry: Entry) -> None:
        pause_s = 0.0
        while True:
            try:
                _deliver_or_set_aside(entry, self._folder)
                break
            except Exception as error:  # whatever it is, it may pass
                if not pause_s:
                    logger.warning("MLflow is away (%s): what is logged is kept.", error)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S) or 0.2
                time.sleep(pause_s)
        if pause_s:
            logger.info("MLflow is back, and %d behind.", len(self._waiting))


@cache
def open_journal(folder: Path, server: str) -> Journal:  # noqa: ARG001 - one for each
    """Return the journal of this process for a server."""
    return Journal(folder)


def _write(file: IO[str], line: str) -> None:
    file.write(line + "\n")
    file.flush()
    os.fsync(file.fileno())


def _deliver_or_set_aside(entry: Entry, folder: Path) -> str:
    """Return what became of an entry; what the server will never take is kept with its reason."""
    try:
        deliver(entry.run, entry.logged)
    except MlflowException as error:
        is_client_error = 400 <= error.get_http_status_code() < 500
        if not is_client_error or error.error_code in _PASSING:
            raise
        return _set_aside(entry.model_dump_json(), str(error), folder)
    return "delivered"


def _set_aside(line: str, reason: str, folder: Path) -> str:
    logger.warning("What a run logged is refused (%s), and kept in %s.", reason, folder / _REFUSED)
    with (folder / _REFUSED).open("a", encoding="utf-8") as file:
        _write(file, json.dumps({"reason": reason, "entry": line}, ensure_ascii=False))
    return "refused"


def describe(counts: Counter[str]) -> str:
    """Return what became of journals as words."""
    return ", ".join(f"{count} {name}" for name, count in counts.items()) or "nothing left"


def replay_journals(folder: Path, server: str) -> Counter[str]:
    """Deliver the journals of a folder that no living process writes to.

    Args:
        folder: Where journals lie.
        server: Address of the tracking server; journals for others stay.

    Returns:
        How many entries are `delivered`, `refused` for ever and in `refused.txt`, or `waiting`.
    """
    counts: Counter[str] = Counter()
    for path in sorted(folder.glob("*.jsonl")):
        try:
            with path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                counts += _replay(path, file, server)
        except (BlockingIOError, FileNotFoundError):
            continue  # somebody writes to it, or delivered it meanwhile
    return counts


def _replay(path: Path, file: IO[bytes], server: str) -> Counter[str]:
    """Deliver a journal and remove it, or leave all of it for the next time."""
    lines = [line for line in file if line.endswith(b"\n")]  # but one that a kill cut off
    try:
        taken = Counter(_take(line, server, path.parent) for line in lines)
    except Exception as error:  # whatever it is, it may pass
        logger.warning("What %s holds waits: %s", path, error)
        return Counter(waiting=len(lines))
    path.unlink(missing_ok=True)
    return taken


def _take(line: bytes, server: str, folder: Path) -> str:
    try:
        entry = Entry.model_validate_json(line)
    except ValidationError as error:
        reason = f"not an entry of a journal: {error}"
        return _set_aside(line.decode(errors="replace"), reason, folder)
    if entry.run.server != server:
        message = f"Expected what is for MLflow at {server}, got an entry for {entry.run.server}."
        raise TrackingUnreachableError(message)
    return _deliver_or_set_aside(entry, folder)
