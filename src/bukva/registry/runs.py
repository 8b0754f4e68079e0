"""The MLflow run that is active, and what is logged with it: files, epochs, trials of a search."""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import mlflow
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NAME

from bukva.registry.journal import Logged, TrackedRun

_JOURNALS: Final = "BUKVA_TRACKING_JOURNALS"
_STATUS: Final = {
    "complete": "FINISHED",
    "pruned": "FINISHED",
    "failed": "FAILED",
    "killed": "KILLED",
}
_LAST_WAIT_S: Final = 1.0


def keep_journals(folder: Path | None) -> None:
    """Let runs of this process, and of those that it starts, log through a journal from now on.

    Args:
        folder: Where journals lie; None to log at once, as where MLflow is a file.
    """
    os.environ.pop(_JOURNALS, None)
    if folder is not None:
        os.environ[_JOURNALS] = str(folder)


def active_run() -> TrackedRun | None:
    """Return MLflow's active run, None where nothing is tracked."""
    run = mlflow.active_run()
    if run is None:
        return None
    folder = os.environ.get(_JOURNALS)
    return TrackedRun(
        server=mlflow.get_tracking_uri(),
        experiment_id=run.info.experiment_id,
        run_id=run.info.run_id,
        journals=Path(folder) if folder else None,
    )


def log_file(content: bytes, path: str) -> None:
    """Log a file with the active run, if there is one, by its path under the run's artifacts."""
    if run := active_run():
        run.log(Logged(files={path: content}))


@dataclass(frozen=True)
class EpochMetrics:
    """Logs rows of a history to a run, epoch by epoch; `prefix` goes before each name."""

    run: TrackedRun
    prefix: str = ""

    def __call__(self, row: Mapping[str, Any]) -> None:
        """Log the numbers of an epoch; what was not measured is left out."""
        metrics = {
            f"{self.prefix}{name}": value
            for name, value in row.items()
            if isinstance(value, float) and not math.isnan(value)
        }
        self.run.log(Logged(metrics=metrics, step=int(row["epoch"])))


@dataclass(frozen=True)
class TrialRuns:
    """Makes and closes the runs of a search's trials, nested under its own.

    Plain data, so that worker processes can have it. It names every run that it writes to: the
    active run of the process stays as it is.
    """

    search: TrackedRun

    def start(self, number: int, values: Mapping[str, Any]) -> str:
        """Begin the run of a trial and return its key."""
        key = f"{self.search.run_id}-{number}"
        tags = {
            MLFLOW_RUN_NAME: f"trial {number}",
            MLFLOW_PARENT_RUN_ID: self.search.run_id,
            "trial.number": str(number),
        }
        params = {name: str(value) for name, value in values.items()}
        self._run(key).log(Logged(tags=tags, params=params))
        return key

    def record(self, name: str, row: Mapping[str, Any]) -> None:
        """Log the numbers of an epoch."""
        EpochMetrics(self._run(name))(row)

    def end(self, name: str, state: str) -> None:
        """Close the run; whether the trial was complete or pruned stands in a tag."""
        run = self._run(name)
        run.log(Logged(tags={"trial.state": state}, status=_STATUS[state]))
        # A worker may end now, and its thread with it.
        run.wait(_LAST_WAIT_S)

    def _run(self, key: str) -> TrackedRun:
        return self.search.model_copy(update={"key": key})


def current_trial_runs() -> TrialRuns | None:
    """Return what nests runs under the active one, None where nothing is tracked."""
    run = active_run()
    return TrialRuns(run) if run else None
