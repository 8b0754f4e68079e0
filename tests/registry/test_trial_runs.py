"""Each trial of a search is a run of its own, under the run of the search."""

import math
import pickle
from pathlib import Path

import mlflow
import pytest
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from bukva.datasets.tracked import TrialRunsDataset
from bukva.registry.journal import KEY_TAG
from bukva.registry.runs import TrialRuns, current_trial_runs

pytestmark = pytest.mark.usefixtures("registry_folder")

ROW = {"epoch": 2, "phase": "all", "valid_loss": 0.5, "valid_case_accuracy": math.nan}


def read(key: str) -> Run:
    [run] = mlflow.search_runs(filter_string=f"tags.`{KEY_TAG}` = '{key}'", output_format="list")
    return run


def test_a_trial_is_nested_and_leaves_the_active_run_alone() -> None:
    with mlflow.start_run() as parent:
        # As a worker process gets it.
        runs: TrialRuns = pickle.loads(pickle.dumps(current_trial_runs()))
        key = runs.start(7, {"learning_rate": 0.01, "augmentation.slant": 0.5})
        runs.record(key, ROW)
        assert read(key).info.status == "RUNNING"
        assert mlflow.active_run().info.run_id == parent.info.run_id
    found = read(key)
    assert found.info.run_name == "trial 7"
    assert found.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert found.data.params == {"learning_rate": "0.01", "augmentation.slant": "0.5"}
    [metric] = MlflowClient().get_metric_history(found.info.run_id, "valid_loss")
    assert (metric.value, metric.step) == (0.5, 2)
    assert found.data.metrics.keys() == {"valid_loss"}


@pytest.mark.parametrize(
    ("state", "status"),
    [("complete", "FINISHED"), ("pruned", "FINISHED"), ("failed", "FAILED"), ("killed", "KILLED")],
)
def test_the_run_says_how_the_trial_ended(state: str, status: str) -> None:
    with mlflow.start_run():
        runs = TrialRunsDataset().load()
    assert runs is not None
    key = runs.start(0, {})
    runs.end(key, state)
    assert read(key).info.status == status
    assert read(key).data.tags["trial.state"] == state


def test_nothing_is_nested_where_nothing_is_tracked(registry_folder: Path) -> None:
    assert mlflow.active_run() is None
    assert TrialRunsDataset().load() is None
