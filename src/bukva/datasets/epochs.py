"""What logs the epochs of a training while it trains."""

from typing import Any

from bukva.datasets.read_only import ReadOnlyDataset
from bukva.model_registry.epochs import EpochMetrics, current_epoch_metrics


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
        return current_epoch_metrics(self._prefix)

    def _describe(self) -> dict[str, Any]:
        return {"prefix": self._prefix}
