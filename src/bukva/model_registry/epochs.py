"""The epochs of a training as metrics of an MLflow run, while it trains."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import mlflow
from mlflow.entities import Metric
from mlflow.tracking import MlflowClient


@dataclass(frozen=True)
class EpochMetrics:
    """Logs rows of a history; it names the run, and may be called in any thread.

    Attributes:
        run_id: Of the run.
        prefix: Before the name of each number, with a dot between.
    """

    run_id: str
    prefix: str

    def __call__(self, row: Mapping[str, Any]) -> None:
        """Log the numbers of an epoch."""
        MlflowClient().log_batch(self.run_id, metrics=to_metrics(row, f"{self.prefix}."))


def current_epoch_metrics(prefix: str) -> EpochMetrics | None:
    """Return what logs epochs with the active run, None where nothing is tracked."""
    run = mlflow.active_run()
    return EpochMetrics(run.info.run_id, prefix) if run is not None else None


def to_metrics(row: Mapping[str, Any], prefix: str = "") -> list[Metric]:
    """Return the numbers of a row of a history, at its epoch; what was not measured is left out."""
    now_ms, epoch = int(1000 * time.time()), int(row["epoch"])
    return [
        Metric(f"{prefix}{name}", value, now_ms, epoch)
        for name, value in row.items()
        if isinstance(value, float) and not math.isnan(value)
    ]
