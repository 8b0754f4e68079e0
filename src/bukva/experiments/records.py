"""What became of each run: one small file beside its log, written by whoever started it."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final, Literal

import fsspec
from pydantic import BaseModel, ConfigDict, Field, ValidationError

_FILE: Final = "record.json"


class Record(BaseModel):
    """The last start of a run, and how it ended.

    Attributes:
        outcome: `started` also where the run was stopped or killed: then nobody wrote the end.
        fingerprint: Of what decided the result.
        tracking_id: The run in MLflow.
        seconds: Between start and end, 0 before it ended.
        error: The last lines that a failed run wrote.
        at: When this was written.
    """

    model_config = ConfigDict(frozen=True)

    outcome: Literal["started", "done", "failed"]
    fingerprint: str
    tracking_id: str
    seconds: float = 0.0
    error: tuple[str, ...] = ()
    at: datetime = Field(default_factory=lambda: datetime.now(UTC))


class Status(StrEnum):
    """Where a run stands."""

    PENDING = "pending"
    """It was never started."""
    RUNNING = "running"
    """A process is at work on it."""
    STOPPED = "stopped"
    """It was stopped or killed, and goes on from its checkpoint."""
    CHANGED = "changed"
    """It is done, but with other parameters or data."""
    FAILED = "failed"
    DONE = "done"


def read_record(folder: Path) -> Record | None:
    """Return the record in a run's folder; None if there is none that can be read."""
    try:
        return Record.model_validate_json((folder / _FILE).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def write_record(folder: Path, record: Record) -> None:
    """Write the record into a run's folder; a kill leaves the former one whole."""
    folder.mkdir(parents=True, exist_ok=True)
    with fsspec.open(str(folder / _FILE), "w", encoding="utf-8") as file:
        file.write(record.model_dump_json(indent=2))


def judge(record: Record | None, fingerprint: str) -> Status:
    """Return where a run stands that would now have this fingerprint."""
    if record is None:
        return Status.PENDING
    if record.outcome == "done":
        return Status.DONE if record.fingerprint == fingerprint else Status.CHANGED
    return Status.FAILED if record.outcome == "failed" else Status.STOPPED
