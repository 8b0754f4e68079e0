"""A figure as a PNG file in the storage, and beside the run in MLflow."""

from pathlib import PurePosixPath
from typing import Any, Final

import mlflow
from kedro_datasets._typing import ImagePreview
from kedro_datasets.matplotlib import MatplotlibDataset
from matplotlib.figure import Figure

from bukva.datasets.files import KedroDataset
from bukva.registry.runs import log_file

_PNG: Final[dict[str, Any]] = {"format": "png", "dpi": 120, "bbox_inches": "tight"}


class TrackedFigureDataset(KedroDataset):
    """Saves a figure, and logs it to the active MLflow run if there is one.

    kedro-mlflow's own wrapper uploads the saved file, which it must find on local disk; this one
    reads it back, so the storage may be S3. kedro-viz previews it.
    """

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
        if mlflow.active_run() is not None:
            log_file(self.load(), self._artifact_file)

    def preview(self) -> ImagePreview:
        """Return the picture as kedro-viz shows it."""
        with self.beside().fetched() as path:
            shown: ImagePreview = self._at(path).preview()
        return shown
