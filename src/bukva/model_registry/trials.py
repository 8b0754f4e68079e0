"""The trials of a search as MLflow runs, nested under the run of the search."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import mlflow
from mlflow.entities import Param
from mlflow.tracking import MlflowClient
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from bukva.model_registry.epochs import to_metrics
from bukva.model_registry.journalled_store import journal_folder, keep_journal
from bukva.model_registry.sender import LATER_TAG

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
        journals: Where what the server does not take at once is kept; None for nowhere.
    """

    tracking_uri: str
    experiment_id: str
    parent_run_id: str
    journals: Path | None = None

    def start(self, number: int, values: Mapping[str, Any]) -> str:
        """Begin the run of a trial and return its id, or a name where it is made later."""
        run = self._client.create_run(
            self.experiment_id,
            run_name=f"trial {number}",
            tags={
                MLFLOW_PARENT_RUN_ID: self.parent_run_id,
                "trial.number": str(number),
                LATER_TAG: uuid.uuid4().hex,
            },
        )
        params = [Param(name, str(value)) for name, value in values.items()]
        self._client.log_batch(run.info.run_id, params=params)
        return str(run.info.run_id)

    def record(self, name: str, row: Mapping[str, Any]) -> None:
        """Log the numbers of an epoch."""
        self._client.log_batch(name, metrics=to_metrics(row))

    def end(self, name: str, state: str) -> None:
        """Close the run; whether the trial was complete or pruned stands in a tag."""
        self._client.set_tag(name, "trial.state", state)
        self._client.set_terminated(name, _STATUS[state])

    @property
    def _client(self) -> MlflowClient:
        # A worker that was started for the search has MLflow as it comes.
        if self.journals is not None and journal_folder() is None:
            keep_journal(self.journals)
        return MlflowClient(self.tracking_uri)


def current_trial_runs() -> TrialRuns | None:
    """Return what nests runs under the active one, None where nothing is tracked."""
    run = mlflow.active_run()
    if run is None:
        return None
    uri, info = mlflow.get_tracking_uri(), run.info
    return TrialRuns(uri, info.experiment_id, info.run_id, journal_folder())
