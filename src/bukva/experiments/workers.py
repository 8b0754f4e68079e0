"""Commands as processes, a few at a time; when the loop over them ends, none is left."""

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Generator, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final

from bukva.errors import ExperimentError

_POLL_S: Final = 0.1
_PATIENCE_S: Final = 10.0
_ERROR_LINES: Final = 6


@dataclass(frozen=True)
class Job:
    """A command to be run.

    Attributes:
        name: Of the job.
        command: Program and arguments.
        variables: What is added to the environment.
        log: File for all that it writes.
    """

    name: str
    command: tuple[str, ...]
    variables: Mapping[str, str]
    log: Path


@dataclass(frozen=True)
class Ended:
    """How a job ended: `error` holds its last lines, none if it went well."""

    name: str
    seconds: float
    error: tuple[str, ...] = ()


class Worker:
    """A process at work on one job.

    Raises:
        ExperimentError: If another process is at work on it.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._started_s = time.monotonic()
        with _open_log(job) as log:
            # A group of its own: Ctrl+C reaches us alone, and we stop it.
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                job.command,
                env={**os.environ, **job.variables},
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def poll(self) -> Ended | None:
        """Return how the job ended, None while it runs."""
        code = self._process.poll()
        if code is None:
            return None
        seconds = time.monotonic() - self._started_s
        return Ended(self._job.name, seconds, _last_lines(self._job.log, code) if code else ())

    def stop(self) -> None:
        """End the process and all that it started."""
        _signal_group(self._process, signal.SIGTERM)
        try:
            self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            _signal_group(self._process, signal.SIGKILL)
            self._process.wait()


def run_jobs(jobs: Iterable[Job], workers: int) -> Generator[Ended, None, None]:
    """Give each job as it ends; a failed one stops no other.

    Args:
        jobs: Taken one by one, each when a worker is free for it.
        workers: How many are at work at the same time.

    Raises:
        ExperimentError: If another process is at work on one of the jobs.
    """
    waiting, active = iter(jobs), list[Worker]()
    try:
        while True:
            active += [Worker(job) for job in islice(waiting, workers - len(active))]
            if not active:
                return
            time.sleep(_POLL_S)
            for worker, ended in [(worker, worker.poll()) for worker in active]:
                if ended is not None:
                    active.remove(worker)
                    yield ended
    finally:
        for worker in active:
            worker.stop()


def count_threads(workers: int) -> int:
    """Return how many threads each of some workers gets of the cores of this machine."""
    return max(1, (os.cpu_count() or 1) // workers)


def is_at_work(log: Path) -> bool:
    """Return whether a process is at work on the job with this log, whoever started it."""
    if not log.exists():
        return False
    with log.open("ab") as file:
        return not _lock(file)


def _open_log(job: Job) -> BinaryIO:
    """Open the log anew, locked for as long as the process that writes it lives."""
    job.log.parent.mkdir(parents=True, exist_ok=True)
    log = job.log.open("ab")
    if not _lock(log):
        log.close()
        message = f"Expected nobody at work on {job.name}, but a process writes {job.log}."
        raise ExperimentError(f"{message} Wait for it, or stop it.")
    log.truncate(0)
    return log


def _lock(file: BinaryIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _last_lines(log: Path, code: int) -> tuple[str, ...]:
    written = log.read_text(encoding="utf-8", errors="replace").splitlines()
    lines = [line.rstrip() for line in written if line.strip()]
    return (*lines[-_ERROR_LINES:], f"(exit code {code})")


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
