"""A figure as a PNG file in the storage, and beside the run in MLflow."""

import io
from pathlib import PurePosixPath
from typing import Any, Final

import mlflow
from kedro.io.core import get_filepath_str
from kedro_datasets.matplotlib import MatplotlibDataset
from matplotlib.figure import Figure

from bukva.model_registry.journalled_store import log_file

_PNG: Final[dict[str, Any]] = {"format": "png", "dpi": 120, "bbox_inches": "tight"}


class TrackedFigureDataset(MatplotlibDataset):  # type: ignore[misc]  # kedro-datasets has no types
    """Saves a figure, and logs it to the active MLflow run if there is one.

    kedro-mlflow's own wrapper uploads the saved file, which it must find on local disk; this one
    draws the figure a second time, so the storage may be S3. kedro-viz previews it.
    """

    def __init__(
        self, *, filepath: str, artifact_folder: str = "figures", **dataset_args: Any
    ) -> None:
        super().__init__(filepath=filepath, save_args=dict(_PNG), **dataset_args)
        self._artifact_file = f"{artifact_folder}/{PurePosixPath(filepath).name}"

    def load(self) -> bytes:
        """Return the PNG file."""
        path = get_filepath_str(self._get_load_path(), self._protocol)
        with self._fs.open(path, mode="rb") as file:
            content: bytes = file.read()
        return content

    def save(self, data: Figure) -> None:
        """Write the PNG file, and log it."""
        super().save(data)
        if mlflow.active_run() is not None:
            drawn = io.BytesIO()
            data.savefig(drawn, **_PNG)
            log_file(drawn.getvalue(), self._artifact_file)
