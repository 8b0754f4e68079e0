"""What a run logs in MLflow, beside its storage: numbers, figures, tables, the runs of trials.

Where nothing is tracked, nothing is logged. kedro-mlflow's own wrappers upload the saved file,
which they must find on local disk; these log what they saved, so the storage may be S3.
"""

from pathlib import PurePosixPath
from typing import Any, Final, NoReturn

import pandas as pd
from kedro.io import AbstractDataset, DatasetError
from kedro_datasets.matplotlib import MatplotlibDataset
from matplotlib.figure import Figure

from bukva.datasets.files import CSVDataset, ImagePreview, KedroDataset, ReadOnlyDataset
from bukva.registry.journal import Logged
from bukva.registry.runs import EpochMetrics, TrialRuns, active_run, current_trial_runs, log_file

_PNG: Final[dict[str, Any]] = {"format": "png", "dpi": 120, "bbox_inches": "tight"}


class EpochMetricsDataset(ReadOnlyDataset[EpochMetrics | None]):
    """Gives what logs epochs with the active MLflow run, None where nothing is tracked.

    Like a checkpoint, it gives the node a way to write rather than a value.

    Args:
        prefix: Before the name of each number, with a dot between.
        metadata: For plugins.
    """

    written_by = "the training writes to MLflow while it runs"

    def __init__(self, *, prefix: str, metadata: dict[str, Any] | None = None) -> None:
        self._prefix = prefix
        self.metadata = metadata

    def load(self) -> EpochMetrics | None:
        """Return it."""
        run = active_run()
        return EpochMetrics(run, f"{self._prefix}.") if run else None

    def _describe(self) -> dict[str, Any]:
        return {"prefix": self._prefix}


class TrackedMetricsDataset(AbstractDataset[dict[str, float], NoReturn]):
    """Logs numbers.

    Args:
        prefix: Before the name of each number, with a dot between.
        metadata: For plugins.
    """

    def __init__(self, *, prefix: str, metadata: dict[str, Any] | None = None) -> None:
        self._prefix = prefix
        self.metadata = metadata

    def load(self) -> NoReturn:
        """Refuse: a DatasetError."""
        raise DatasetError("TrackedMetricsDataset only logs: look for its numbers in MLflow.")

    def save(self, data: dict[str, float]) -> None:
        """Log the numbers."""
        if run := active_run():
            metrics = {f"{self._prefix}.{name}": value for name, value in data.items()}
            run.log(Logged(metrics=metrics))

    def _describe(self) -> dict[str, Any]:
        return {"prefix": self._prefix}


class TrialRunsDataset(ReadOnlyDataset[TrialRuns | None]):
    """Gives what nests the trials' runs under the active one, None where nothing is tracked."""

    written_by = "the search writes to MLflow, run the pipeline tuning"

    def __init__(self, *, metadata: dict[str, Any] | None = None) -> None:
        self.metadata = metadata

    def load(self) -> TrialRuns | None:
        """Return it."""
        return current_trial_runs()

    def _describe(self) -> dict[str, Any]:
        return {}


class TrackedTableDataset(CSVDataset):
    """Saves a table without its index as CSV, and logs it."""

    def __init__(
        self, *, filepath: str, artifact_folder: str = "tables", **dataset_args: Any
    ) -> None:
        super().__init__(filepath=filepath, save_args={"index": False}, **dataset_args)
        self._artifact_file = f"{artifact_folder}/{PurePosixPath(filepath).name}"

    def save(self, data: pd.DataFrame) -> None:
        """Write the CSV file, and log it."""
        super().save(data)
        log_file(data.to_csv(index=False).encode(), self._artifact_file)


class TrackedFigureDataset(KedroDataset):
    """Saves a figure as PNG, and logs it; kedro-viz previews it."""

    kind = MatplotlibDataset

    def __init__(
        self, *, filepath: str, artifact_folder: str = "figures", **dataset_args: Any
    ) -> None:
        super().__init__(filepath=filepath, save_args=dict(_PNG), **dataset_args)
        self._artifact_file = f"{artifact_folder}/{PurePosixPath(filepath).name}"

    def load(self) -> bytes:
        """Return the PNG file."""
        return self.beside().read()

    def save(self, data: Figure) -> None:
        """Write the PNG file, and log it."""
        super().save(data)
        if active_run():
            log_file(self.load(), self._artifact_file)

    def preview(self) -> ImagePreview:
        """Return the picture as kedro-viz shows it."""
        return ImagePreview(self._preview())
