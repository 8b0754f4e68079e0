"""What a training logs of an epoch."""

import math

import mlflow
import pytest
from mlflow.tracking import MlflowClient

from bukva.datasets.epochs import EpochMetricsDataset
from bukva.model_registry.epochs import to_metrics

ROW = {"epoch": 2, "phase": "all", "train_loss": 0.5, "valid_case_accuracy": math.nan}


def test_what_was_not_measured_is_left_out() -> None:
    [metric] = to_metrics(ROW, "finetuning.")
    assert (metric.key, metric.value, metric.step) == ("finetuning.train_loss", 0.5, 2)


@pytest.mark.usefixtures("registry_folder")
def test_an_epoch_is_logged_with_the_run_that_was_active_then() -> None:
    dataset = EpochMetricsDataset(prefix="finetuning")
    assert dataset.load() is None
    with mlflow.start_run() as run:
        log_epoch = dataset.load()
    assert log_epoch is not None
    log_epoch(ROW)
    [metric] = MlflowClient().get_metric_history(run.info.run_id, "finetuning.train_loss")
    assert (metric.value, metric.step) == (0.5, 2)
