"""The MLflow experiment that all runs of a file are in."""

from pathlib import Path
from typing import Final

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

EXPERIMENT: Final = "BUKVA_EXPERIMENT"
"""The variable in which `conf/base/mlflow.yml` looks for the name of the experiment."""

_COMPARISON: Final = "comparison"


class Tracker:
    """Opens and closes the runs of one experiment, where MLflow has been set up by a session."""

    def __init__(self, experiment: str, file: Path) -> None:
        self._client = MlflowClient()
        self._experiment_id = mlflow.set_experiment(experiment).experiment_id
        self._tags = {"bukva.experiments_file": str(file)}

    def open(self, name: str, former: str | None = None) -> str:
        """Open a run, or a former one again if it is still there, and return its id."""
        if former is not None and self._has(former):
            return former
        run = self._client.create_run(self._experiment_id, run_name=name, tags=self._tags)
        return str(run.info.run_id)

    def _has(self, run_id: str) -> bool:
        try:
            return bool(self._client.get_run(run_id).info.lifecycle_stage == "active")
        except MlflowException:
            return False

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
