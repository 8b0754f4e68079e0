"""What logs numbers with the active MLflow run: epochs while a training runs, scores once."""

from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError

from bukva.datasets.files import ReadOnlyDataset
from bukva.registry.journal import Logged
from bukva.registry.runs import EpochMetrics, active_run


class EpochMetricsDataset(ReadOnlyDataset[EpochMetrics | None]):
    """Gives what logs epochs with the active MLflow run, None where nothing is tracked.

    Like a checkpoint, it gives the node a way to write rather than a value.
    """

    written_by = "the training writes to MLflow while it runs"

    def __init__(self, *, prefix: str, metadata: dict[str, Any] | None = None) -> None:
        """Name the training.

        Args:
            prefix: Before the name of each number, with a dot between.
            metadata: For plugins.
        """
        self._prefix = prefix
        self.metadata = metadata

    def load(self) -> EpochMetrics | None:
        """Return it."""
        run = active_run()
        return EpochMetrics(run, f"{self._prefix}.") if run else None

    def _describe(self) -> dict[str, Any]:
        return {"prefix": self._prefix}


class TrackedMetricsDataset(AbstractDataset[dict[str, float], NoReturn]):
    """Logs numbers with the active MLflow run, if there is one."""

    def __init__(self, *, prefix: str, metadata: dict[str, Any] | None = None) -> None:
        """Name what was measured.

        Args:
            prefix: Before the name of each number, with a dot between.
            metadata: For plugins.
        """
        self._prefix = prefix
        self.metadata = metadata

    def load(self) -> NoReturn:
        """Refuse.

        Raises:
            DatasetError: Always.
        """
        raise DatasetError("TrackedMetricsDataset only logs: look for its numbers in MLflow.")

    def save(self, data: dict[str, float]) -> None:
        """Log the numbers."""
        if run := active_run():
            metrics = {f"{self._prefix}.{name}": value for name, value in data.items()}
            run.log(Logged(metrics=metrics))

    def _describe(self) -> dict[str, Any]:
        return {"prefix": self._prefix}
