"""The runs of an experiment, each a `kedro run` in a process of its own.

A run is locked for as long as a process does it, whatever becomes of the command that started it.
So commands share the runs of an experiment, and what a killed one left is seen by the next.
"""

import asyncio
import fcntl
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO, Final

import mlflow
import yaml
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from bukva.cli.experiment_runs.plan import Experiment, Run
from bukva.core.parameters import Group, nest
from bukva.datasets.storage import Files

LOG: Final = "log.txt"

_RECORD: Final = "record.json"
_COMPARISON: Final = "comparison"
_POLL_S: Final = 0.1
_PATIENCE_S: Final = 10.0
_ERROR_LINES: Final = 6


class Status(StrEnum):
    """Where a run stands; `changed`: it is done, but with other parameters or data."""

    PENDING = "pending"
    RUNNING = "running"
    STOPPED = "stopped"
    CHANGED = "changed"
    FAILED = "failed"
    DONE = "done"


class Record(Group):
    """What a run's folder says of it.

    Attributes:
        status: How it ended; `stopped` for as long as it has not.
        fingerprint: Of the parameters and data of its last start.
        run_id: Of its run in MLflow.
        seconds: How long its last start took.
        error: Its last lines, if it failed.
    """

    status: Status = Status.PENDING
    fingerprint: str = ""
    run_id: str = ""
    seconds: float | None = None
    error: tuple[str, ...] = ()


def list_records(experiment: Experiment) -> dict[str, Record]:
    """Return where each run stands, with the parameters and data of now."""
    return {run.name: _judge(experiment, run) for run in experiment.runs}


def _judge(experiment: Experiment, run: Run) -> Record:
    record = _read(experiment, run)
    status = record.status
    if status is Status.PENDING:
        return record
    with _locked(experiment, run) as lock:
        if lock is None:
            status = Status.RUNNING
        elif status is Status.DONE and not _is_done(experiment, run, record):
            status = Status.CHANGED
    return record.model_copy(update={"status": status})


def _is_done(experiment: Experiment, run: Run, record: Record) -> bool:
    return record.status is Status.DONE and record.fingerprint == experiment.fingerprint(run)


def _read(experiment: Experiment, run: Run) -> Record:
    file = experiment.folder / run.name / _RECORD
    return Record.model_validate_json(file.read_bytes()) if file.exists() else Record()


@contextmanager
def _locked(experiment: Experiment, run: Run) -> Iterator[BinaryIO | None]:
    """Lock a run: for the block, and for as long as a process lives that was given the file.

    Yields:
        The locked file, none where somebody else has locked it.
    """
    with (experiment.folder / f".{run.name}.lock").open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield file


class Tracker:
    """Opens and closes the runs of one experiment, where MLflow has been set up."""

    def __init__(self, experiment: Experiment) -> None:
        self._client = MlflowClient()
        self._experiment_id = mlflow.set_experiment(experiment.name).experiment_id
        self._tags = {"bukva.experiments_file": str(experiment.file)}

    def open(self, name: str, former: str = "") -> str:
        """Open a run, or a former one again if it is still there, and return its id."""
        with suppress(MlflowException):
            if former and self._client.get_run(former).info.lifecycle_stage == "active":
                return former
        run = self._client.create_run(self._experiment_id, run_name=name, tags=self._tags)
        return str(run.info.run_id)

    def close(self, run_id: str, status: str) -> None:
        """Say how a run ended that could not say it itself."""
        self._client.set_terminated(run_id, status)

    def log_comparison(self, files: list[Path]) -> None:
        """Keep files in the run `comparison`, in place of the former ones."""
        names = f"attributes.run_name = '{_COMPARISON}'"
        runs = self._client.search_runs([self._experiment_id], names, max_results=1)
        run_id = runs[0].info.run_id if runs else self.open(_COMPARISON)
        for file in files:
            self._client.log_artifact(run_id, str(file))
        self.close(run_id, "FINISHED")


@dataclass(frozen=True)
class Conductor:
    """Does runs of an experiment, several at a time.

    Attributes:
        experiment: What they belong to.
        tracker: The experiment in MLflow.
        on_end: Called with the name and the record of each run as it ends.
        workers: How many are done at a time.
        retries: How often a run is started again whose process was killed.
        force: Whether to forget what the runs have kept, checkpoints included.
        command: Does a run; `--config=` names the file with its arguments.
    """

    experiment: Experiment
    tracker: Tracker
    on_end: Callable[[str, Record], None]
    workers: int = 1
    retries: int = 2
    force: bool = False
    command: tuple[str, ...] = (sys.executable, "-m", "kedro", "run")

    def conduct(self, runs: Sequence[Run]) -> None:
        """Do runs; one that fails stops no other, and whatever ends this early stops all."""
        self.experiment.folder.mkdir(parents=True, exist_ok=True)
        asyncio.run(self._conduct(runs))

    async def _conduct(self, runs: Sequence[Run]) -> None:
        waiting = deque((run, _read(self.experiment, run)) for run in runs)
        await asyncio.gather(*(self._work_through(waiting) for _ in range(self.workers)))

    async def _work_through(self, waiting: deque[tuple[Run, Record]]) -> None:
        while waiting:
            run, before = waiting.popleft()
            with _locked(self.experiment, run) as lock:
                if lock is None:
                    # Another command does it: whether well is seen when it has ended.
                    waiting.append((run, before))
                    await asyncio.sleep(_POLL_S)
                    continue
                record = _read(self.experiment, run)
                if record.status is Status.STOPPED or (
                    record == before and (self.force or not _is_done(self.experiment, run, record))
                ):
                    record = await self._do(run, record, lock)
            self.on_end(run.name, record)

    async def _do(self, run: Run, former: Record, lock: BinaryIO) -> Record:
        project, run_folder = self.experiment.project, self.experiment.run_folder(run)
        fingerprint = self.experiment.fingerprint(run)
        if self.force or former.status is Status.DONE:
            project.clear(run_folder)
            former = Record()
        project.lend(run_folder)
        same_run = former.run_id if former.fingerprint == fingerprint else ""
        run_id = self.tracker.open(run.name, same_run)
        record = Record(status=Status.STOPPED, fingerprint=fingerprint, run_id=run_id)
        self._keep(run, record)
        outcome, code, started_s = "KILLED", -1, time.monotonic()
        try:
            for _ in range(1 + self.retries):
                if code < 0:  # by a signal
                    code = await self._execute(run, run_id, lock)
            outcome = "FAILED" if code else "FINISHED"
        finally:
            self.tracker.close(run_id, outcome)
        ended = {
            "status": Status.FAILED if code else Status.DONE,
            "seconds": time.monotonic() - started_s,
            "error": self._last_lines(run, code) if code else (),
        }
        record = record.model_copy(update=ended)
        self._keep(run, record)
        return record

    def _keep(self, run: Run, record: Record) -> None:
        file = Files(str(self.experiment.folder / run.name / _RECORD))
        file.write(record.model_dump_json(indent=2).encode())

    async def _execute(self, run: Run, run_id: str, lock: BinaryIO) -> int:
        """Do a `kedro run`, whose arguments are a file that shows what was run; return its code."""
        folder, project = self.experiment.folder / run.name, self.experiment.project
        arguments: dict[str, Any] = {
            "env": project.env,
            "pipelines": ",".join(project.pipelines),
            "params": nest(run.overrides),
        }
        file = folder / "run.yml"
        file.write_text(yaml.safe_dump({"run": arguments}, allow_unicode=True), "utf-8")
        variables = {
            "BUKVA_RUN_FOLDER": self.experiment.run_folder(run),
            "BUKVA_RUN_NAME": run.name,
            "BUKVA_RUN_ID": run_id,
            "KEDRO_LOGGING_CONFIG": "conf/logging_run.yml",
            "PYTHONWARNINGS": "ignore",
        }
        # A single one chooses by itself, as any command does.
        share = str(max(1, (os.cpu_count() or 1) // self.workers))
        threads = {"OMP_NUM_THREADS": share} if self.workers > 1 else {}
        with (folder / LOG).open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *self.command,
                f"--config={file}",
                env=threads | os.environ | variables,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                pass_fds=(lock.fileno(),),
                # A group of its own: Ctrl+C reaches us alone, and we stop it.
                start_new_session=True,
            )
        try:
            return await process.wait()
        finally:
            await _end_group(process)

    def _last_lines(self, run: Run, code: int) -> tuple[str, ...]:
        log = self.experiment.folder / run.name / LOG
        written = log.read_text(encoding="utf-8", errors="replace").splitlines()
        lines = [line.rstrip() for line in written if line.strip()]
        return (*lines[-_ERROR_LINES:], f"(exit code {code})")


async def _end_group(process: asyncio.subprocess.Process) -> None:
    """End a process that has not ended, and all that it started."""
    for signal_number, patience_s in ((signal.SIGTERM, _PATIENCE_S), (signal.SIGKILL, None)):
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal_number)
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), patience_s)
