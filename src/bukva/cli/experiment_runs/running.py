"""The runs of an experiment: trials of a study, each a `kedro run` in a process of its own."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO, Final

import mlflow
import yaml
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from bukva.cli.experiment_runs.plan import RUN_FOLDER, Experiment, Run
from bukva.core.parameters import nest
from bukva.core.tuning.parameters import SharingParameters
from bukva.core.tuning.study import SharedStudy
from bukva.core.tuning.work import GivenUpError, StoppedTrialError, work_through

EXPERIMENT: Final = "BUKVA_EXPERIMENT"
"""The variable in which `conf/base/mlflow.yml` looks for the name of the experiment."""
LOG: Final = "log.txt"

_STUDY: Final = "study.db"
_LOGGING_CONFIG: Final = "conf/logging_run.yml"
_COMPARISON: Final = "comparison"
_OPEN: Final = (TrialState.WAITING, TrialState.RUNNING)
_POLL_S: Final = 0.1
_PATIENCE_S: Final = 10.0
_ERROR_LINES: Final = 6


class Status(StrEnum):
    """Where a run stands."""

    PENDING = "pending"
    """It was never started, or its folder was removed."""
    RUNNING = "running"
    """A process is at work on it."""
    STOPPED = "stopped"
    """It was stopped or killed, and goes on from its checkpoint."""
    CHANGED = "changed"
    """It is done, but with other parameters or data."""
    FAILED = "failed"
    DONE = "done"


Key = tuple[str, str]
"""Name and fingerprint of a run."""


@dataclass(frozen=True)
class Ended:
    """How a run ended: `error` holds its last lines, none if it went well."""

    name: str
    seconds: float
    error: tuple[str, ...] = ()


class Tracker:
    """Opens and closes the runs of one experiment, where MLflow has been set up by a session."""

    def __init__(self, experiment: Experiment) -> None:
        self._client = MlflowClient()
        self._experiment_id = mlflow.set_experiment(experiment.name).experiment_id
        self._tags = {"bukva.experiments_file": str(experiment.file)}

    def open(self, name: str, former: str | None = None) -> str:
        """Open a run, or a former one again if it is still there, and return its id."""
        if former:
            with suppress(MlflowException):
                if self._client.get_run(former).info.lifecycle_stage == "active":
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


def list_statuses(experiment: Experiment) -> dict[str, tuple[Status, FrozenTrial | None]]:
    """Return where each run stands, with the parameters and data of now, and its last trial."""
    trials: list[FrozenTrial] = []
    if experiment.folder.is_dir():
        trials = _open_study(experiment, SharingParameters()).trials()
    return {run.name: _judge(experiment, run, trials) for run in experiment.runs}


def _key_of(trial: FrozenTrial | Trial) -> Key:
    attrs = trial.user_attrs
    return attrs.get("name", ""), attrs.get("fingerprint", "")


def _judge(
    experiment: Experiment, run: Run, trials: Sequence[FrozenTrial]
) -> tuple[Status, FrozenTrial | None]:
    begun = [
        trial
        for trial in trials
        if trial.state != TrialState.WAITING
        and _key_of(trial)[0] == run.name
        and "withdrawn" not in trial.user_attrs
    ]
    # What a kill left behind has a trial that runs, but nobody who writes its log.
    log = experiment.folder / run.name / LOG
    if not begun or not log.exists():
        return Status.PENDING, None
    last = begun[-1]
    match last.state:
        case TrialState.COMPLETE:
            is_same = experiment.by_key.get(_key_of(last)) == run
            return Status.DONE if is_same else Status.CHANGED, last
        case TrialState.RUNNING:
            with log.open("ab") as file:
                return Status.STOPPED if _lock(file) else Status.RUNNING, last
        case _:
            return Status.FAILED if "error" in last.user_attrs else Status.STOPPED, last


def _open_study(
    experiment: Experiment,
    sharing: SharingParameters,
    on_killed: Callable[[FrozenTrial], None] = lambda _: None,
) -> SharedStudy:
    experiment.folder.mkdir(parents=True, exist_ok=True)
    url = f"sqlite:///{experiment.folder / _STUDY}"
    shared = SharedStudy(url, experiment.name, sharing, on_killed, direction="maximize")
    if not shared.trials():
        for run in experiment.runs:
            _take_over(shared, run, experiment.folder / run.name / "record.json")
    return shared


def _take_over(shared: SharedStudy, run: Run, record: Path) -> None:
    """Let a run be done that was done before experiments were studies."""
    with suppress(OSError, ValueError):
        former = json.loads(record.read_text(encoding="utf-8"))
        if former["outcome"] == "done":
            attrs = {
                "name": run.name,
                "fingerprint": former["fingerprint"],
                "run": former["tracking_id"],
            }
            done = create_trial(state=TrialState.COMPLETE, value=0.0, user_attrs=attrs)
            shared.study.add_trial(done)


@dataclass(frozen=True)
class Conductor:
    """Does runs of an experiment by workers that are threads; it is the `Work` of each.

    Attributes:
        experiment: What they belong to.
        todo: The runs that are to be done.
        tracker: The experiment in MLflow.
        parameters: How workers share the runs.
        on_end: Called as each run ends.
        command: Does a run; `--config=` names the file with its arguments.
    """

    experiment: Experiment
    todo: Mapping[Key, Run]
    tracker: Tracker
    parameters: SharingParameters
    on_end: Callable[[Ended], None]
    command: tuple[str, ...] = (sys.executable, "-m", "kedro", "run")
    _stop: threading.Event = field(default_factory=threading.Event)

    def conduct(self, force: bool = False) -> None:
        """Do the runs; one that fails stops no other, and whatever ends this early stops all.

        Args:
            force: Whether to forget what the runs have kept, checkpoints included.
        """
        self._enqueue(force)
        with ThreadPoolExecutor(self.parameters.workers) as pool:
            try:
                workers = range(self.parameters.workers)
                for ended in as_completed([pool.submit(work_through, self) for _ in workers]):
                    ended.result()
            finally:
                self._stop.set()

    def _enqueue(self, force: bool) -> None:
        """Put the runs into the queue that are not in it yet, for another command or a former."""
        study = self.open()
        with (self.experiment.folder / f"{_STUDY}.lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            trials = study.trials()
            for key, run in self.todo.items():
                status, last = _judge(self.experiment, run, trials)
                states = {trial.state for trial in trials if _key_of(trial) == key}
                if status is Status.CHANGED or (force and status is not Status.RUNNING):
                    self.experiment.project.clear(self.experiment.run_folder(run))
                if states.isdisjoint(_OPEN):
                    attrs = {"name": run.name, "fingerprint": key[1]}
                    if last and not force and _key_of(last) == key:
                        attrs["run"] = last.user_attrs.get("run", "")
                    study.patiently(study.study.enqueue_trial, {}, user_attrs=attrs)

    def open(self) -> SharedStudy:
        """Return the study, in a file beside the runs."""
        return _open_study(self.experiment, self.parameters, self._on_killed)

    def _on_killed(self, trial: FrozenTrial) -> None:
        if "run" in trial.user_attrs:
            self.tracker.close(trial.user_attrs["run"], "KILLED")

    def count_left(self, trials: Sequence[FrozenTrial]) -> int:
        """Return how many of the runs wait or are under way."""
        if self._stop.is_set():
            return 0
        return sum(trial.state in _OPEN and _key_of(trial) in self.todo for trial in trials)

    def run(self, study: SharedStudy, trial: Trial) -> float:
        """Do a run, and return the accuracy that its evaluation gives, 0 if it gives none.

        Raises:
            GivenUpError: If it failed, or was not asked for.
            StoppedTrialError: If its process was killed.
            KeyboardInterrupt: If this command is stopped.
            UpdateFinishedTrialError: If others took this worker for dead.
        """
        key, attrs = _key_of(trial), dict(trial.user_attrs)
        if key not in self.todo:
            study.patiently(trial.set_user_attr, "withdrawn", True)
            if key in self.experiment.by_key:
                # Another command may have asked for it: it goes to the end of the queue.
                study.patiently(study.study.enqueue_trial, {}, user_attrs=attrs)
            raise GivenUpError("it is not asked for here")
        run = self.todo[key]
        run_id = self.tracker.open(run.name, attrs.get("run"))
        study.patiently(trial.set_user_attr, "run", run_id)
        status, started_s = "KILLED", time.monotonic()
        try:
            code = self._execute(run, run_id)
            error = self._last_lines(run, code) if code else ()
            if code >= 0 or not study.may_retry(trial.number):
                status = "FAILED" if error else "FINISHED"
        finally:
            self.tracker.close(run_id, status)
        if status == "KILLED":
            raise StoppedTrialError(f"its process was killed by signal {-code}")
        if study.is_taken(trial):
            raise UpdateFinishedTrialError
        self.on_end(Ended(run.name, time.monotonic() - started_s, error))
        if error:
            study.patiently(trial.set_user_attr, "error", "\n".join(error))
            raise GivenUpError("\n".join(error))
        catalog = self.experiment.project.catalog(self.experiment.run_folder(run))
        results = catalog.load("results") if catalog.exists("results") else {}
        return float(results.get("all.label_accuracy", 0.0))

    def _execute(self, run: Run, run_id: str) -> int:
        """Do a `kedro run`, whose arguments are a file that shows what was run; return its code."""
        folder, run_folder = self.experiment.folder / run.name, self.experiment.run_folder(run)
        with self._locked_log(folder / LOG) as log:
            self.experiment.project.lend(run_folder)
            arguments: dict[str, Any] = {
                "env": self.experiment.project.env,
                "pipelines": ",".join(self.experiment.project.pipelines),
                "params": nest(run.overrides),
            }
            file = folder / "run.yml"
            file.write_text(yaml.safe_dump({"run": arguments}, allow_unicode=True), "utf-8")
            threads = str(max(1, (os.cpu_count() or 1) // self.parameters.workers))
            variables = {
                RUN_FOLDER: run_folder,
                EXPERIMENT: self.experiment.name,
                "BUKVA_RUN_NAME": run.name,
                "BUKVA_RUN_ID": run_id,
                "KEDRO_LOGGING_CONFIG": _LOGGING_CONFIG,
                "PYTHONWARNINGS": "ignore",
                "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", threads),
            }
            # A group of its own: Ctrl+C reaches us alone, and we stop it.
            process = subprocess.Popen(  # noqa: S603 - our own command
                (*self.command, f"--config={file}"),
                env=os.environ | variables,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        try:
            while process.poll() is None:
                self._pause()
        finally:
            _end_group(process)
        return process.returncode

    @contextmanager
    def _locked_log(self, path: Path) -> Iterator[BinaryIO]:
        """Open a log anew, locked for as long as a process that writes it lives."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as log:
            while not _lock(log):
                # Left by a command that was killed: two at once would spoil the folder.
                self._pause()
            log.truncate(0)
            yield log

    def _pause(self) -> None:
        if self._stop.wait(_POLL_S):
            raise KeyboardInterrupt

    def _last_lines(self, run: Run, code: int) -> tuple[str, ...]:
        log = self.experiment.folder / run.name / LOG
        written = log.read_text(encoding="utf-8", errors="replace").splitlines()
        lines = [line.rstrip() for line in written if line.strip()]
        return (*lines[-_ERROR_LINES:], f"(exit code {code})")


def _lock(file: BinaryIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process that has not ended, and all that it started."""
    if process.poll() is not None:
        return
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
