"""What is logged of an epoch, and of a test."""

import math

import mlflow
import pytest
from kedro.io import DatasetError
from mlflow.tracking import MlflowClient

from bukva.datasets.tracked import EpochMetricsDataset, TrackedMetricsDataset

ROW = {"epoch": 2, "phase": "all", "train_loss": 0.5, "valid_case_accuracy": math.nan}

pytestmark = pytest.mark.usefixtures("registry_folder")


def test_an_epoch_is_logged_with_the_run_that_was_active_then() -> None:
    dataset = EpochMetricsDataset(prefix="finetuning")
    assert dataset.load() is None
    with mlflow.start_run() as run:
        log_epoch = dataset.load()
    assert log_epoch is not None
    log_epoch(ROW)
    [metric] = MlflowClient().get_metric_history(run.info.run_id, "finetuning.train_loss")
    assert (metric.value, metric.step) == (0.5, 2)
    # What was not measured, and what is no number, is left out.
    assert MlflowClient().get_run(run.info.run_id).data.metrics.keys() == {"finetuning.train_loss"}


def test_scores_are_logged_once_and_never_loaded() -> None:
    dataset = TrackedMetricsDataset(prefix="test")
    dataset.save({"accuracy": 0.5})  # without a run: nowhere
    with mlflow.start_run() as run:
        dataset.save({"accuracy": 0.75})
    assert MlflowClient().get_run(run.info.run_id).data.metrics == {"test.accuracy": 0.75}
    with pytest.raises(DatasetError, match="look for its numbers in MLflow"):
        dataset.load()
