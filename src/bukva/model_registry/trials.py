"""The trials of a search as MLflow runs, nested under the run of the search."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import mlflow
from mlflow.entities import Metric, Param
from mlflow.tracking import MlflowClient
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

_STATUS: Final = {
    "complete": "FINISHED",
    "pruned": "FINISHED",
    "failed": "FAILED",
    "killed": "KILLED",
}


@dataclass(frozen=True)
class TrialRuns:
    """Makes and closes the runs of trials; plain data, so that worker processes can have it.

    It names every run that it writes to: the active run of the process stays as it is.

    Attributes:
        tracking_uri: Of the tracking server.
        experiment_id: Of the search.
        parent_run_id: Of the search.
    """

    tracking_uri: str
    experiment_id: str
    parent_run_id: str

    def start(self, number: int, values: Mapping[str, Any]) -> str:
        """Begin the run of a trial and return its id."""
        run = self._client.create_run(
            self.experiment_id,
            run_name=f"trial {number}",
            tags={MLFLOW_PARENT_RUN_ID: self.parent_run_id, "trial.number": str(number)},
        )
        params = [Param(name, str(value)) for name, value in values.items()]
        self._client.log_batch(run.info.run_id, params=params)
        return str(run.info.run_id)

    def record(self, name: str, row: Mapping[str, Any]) -> None:
        """Log the numbers of an epoch."""
        now_ms, epoch = int(time.time() * 1000), int(row["epoch"])
        metrics = [
            Metric(key, float(value), now_ms, epoch)
            for key, value in row.items()
            if isinstance(value, float) and value == value  # noqa: PLR0124 - MLflow takes no NaN
        ]
        self._client.log_batch(name, metrics=metrics)

    def end(self, name: str, state: str) -> None:
        """Close the run; whether the trial was complete or pruned stands in a tag."""
        self._client.set_tag(name, "trial.state", state)
        self._client.set_terminated(name, _STATUS[state])

    @property
    def _client(self) -> MlflowClient:
        return MlflowClient(self.tracking_uri)


def current_trial_runs() -> TrialRuns | None:
    """Return what nests runs under the active one, None where nothing is tracked."""
    run = mlflow.active_run()
    if run is None:
        return None
    return TrialRuns(mlflow.get_tracking_uri(), run.info.experiment_id, run.info.run_id)
