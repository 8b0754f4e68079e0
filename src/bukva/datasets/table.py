"""A table as a CSV file in the storage, and beside the run in MLflow."""

from pathlib import PurePosixPath
from typing import Any

import pandas as pd
from kedro_datasets.pandas import CSVDataset

from bukva.model_registry.journalled_store import log_file


class TrackedTableDataset(CSVDataset):  # type: ignore[misc]  # kedro-datasets has no types
    """Saves a table without its index, and logs it to the active MLflow run if there is one.

    As `TrackedFigureDataset` does for figures, and for the same reason: the storage may be S3.
    """

    def __init__(
        self, *, filepath: str, artifact_folder: str = "tables", **dataset_args: Any
    ) -> None:
        super().__init__(filepath=filepath, save_args={"index": False}, **dataset_args)
        self._artifact_file = f"{artifact_folder}/{PurePosixPath(filepath).name}"

    def save(self, data: pd.DataFrame) -> None:
        """Write the CSV file, and log it."""
        super().save(data)
        log_file(data.to_csv(index=False).encode(), self._artifact_file)
