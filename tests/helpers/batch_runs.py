"""Batch predictions in a folder of the test's own, by the runner and no session."""

import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner
from kedro_project import PROJECT
from PIL import Image

from bukva.datasets import batch as batch_datasets
from bukva.datasets import storage
from bukva.datasets.batch import (
    BatchImagesDataset,
    BatchProgressDataset,
    PartsDataset,
    part_name,
)
from bukva.datasets.files import JSONDataset
from bukva.datasets.storage import Files
from bukva.pipelines.batch_inference import pipeline as batch_inference
from bukva.tasks.glyph.batch import AnsweringModel
from bukva.tasks.glyph.parameters import BatchInferenceParameters
from bukva.tasks.glyph.recogniser import Recogniser

CHUNK_IMAGES = 16


def png(grey_HW: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(grey_HW).save(buffer, "PNG")
    return buffer.getvalue()


def write_tensors(path: Path, images_NHW: np.ndarray, row_group_size: int) -> None:
    """Write arrays as a column of tensors, as the docs say."""
    column = pa.FixedShapeTensorArray.from_numpy_ndarray(images_NHW)
    pq.write_table(pa.table({"image": column}), path, row_group_size=row_group_size)


@dataclass(frozen=True)
class Batch:
    """Images somewhere, and a folder for the result."""

    images: str
    results: str

    def run(self, recogniser: Recogniser, version: str = "7", **settings: Any) -> None:
        settings = {"chunk_images": CHUNK_IMAGES} | settings
        catalog = self.catalog()
        model = AnsweringModel(recogniser, version)
        parameters = BatchInferenceParameters(
            images=self.images, results=self.results, model="prod", **settings
        )
        catalog["batch_model"] = MemoryDataset(model, copy_mode="assign")
        catalog["params:batch_inference"] = MemoryDataset(parameters, copy_mode="assign")
        SequentialRunner().run(batch_inference.create_pipeline(), catalog)

    def catalog(self) -> DataCatalog:
        folder = self.results
        return DataCatalog(
            {
                "batch_images": BatchImagesDataset(filepath=self.images),
                "batch_plan": JSONDataset(filepath=f"{folder}/plan.json"),
                "batch_progress": BatchProgressDataset(folder=folder),
                "batch_predictions": PartsDataset(folder=f"{folder}/predictions"),
                "batch_rejected": PartsDataset(folder=f"{folder}/rejected"),
                "batch_report": JSONDataset(filepath=f"{folder}/report.json"),
            }
        )

    def read(self, name: str = "predictions") -> pd.DataFrame:
        parts = self.catalog().load(f"batch_{name}").read()
        return pa.concat_tables(table for _, table in parts).to_pandas()

    def report(self) -> dict[str, Any]:
        report: dict[str, Any] = self.catalog().load("batch_report")
        return report


def run_and_die(batch: Batch, onnx_model: bytes, where: str, part: int) -> None:
    """Run until a part is to be saved, and die then: before, within or after its writing."""
    _die_at(where, part)
    batch.run(Recogniser(onnx_model))


def _die_at(where: str, part: int) -> None:
    """Put a kill into the writing of a part: nothing of this process is left to clean up."""
    flush, write = storage.flush_to_disk, batch_datasets.pq.write_table
    name = part_name(part)

    def deadly_write(table: pa.Table, path: Path, **settings: Any) -> None:
        if where == "before" and name in path.name:
            os.kill(os.getpid(), signal.SIGKILL)
        write(table, path, **settings)

    def deadly_flush(path: Path) -> None:
        if where == "within" and name in path.name:
            os.truncate(path, path.stat().st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)
        flush(path)
        if where == "after" and (path / name).exists():
            os.kill(os.getpid(), signal.SIGKILL)

    batch_datasets.pq.write_table, storage.flush_to_disk = deadly_write, deadly_flush


def rows_of(table: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    """Rows that can be compared, alternatives as text."""
    shown = table.assign(alternatives=table["alternatives"].map(_to_text))
    shown = shown.astype(object).where(shown.notna(), None)
    return shown.itertuples(index=False, name=None)


def _to_text(alternatives: Any) -> str:
    return "" if alternatives is None else str([dict(item) for item in alternatives])


def make_project(folder: Path, onnx_model: bytes) -> None:
    """Make a project of ours in a folder, whose local recogniser is this one."""
    for name in ("conf", "pyproject.toml"):
        (folder / name).symlink_to(PROJECT / name)
    (folder / "src").mkdir()
    Files(str(folder)).write(onnx_model, "kept/06_models/recogniser.onnx")


def run_command(project: Path, **names: str) -> subprocess.CompletedProcess[str]:
    """Run the command of the batch in a project that `make_project` made."""
    given = ",".join(f"batch_inference.{name}={value}" for name, value in names.items())
    command = [sys.executable, "-m", "kedro", "run", "--env=test", f"--params={given}"]
    return subprocess.run(
        [*command, "--pipeline=batch_inference"],
        cwd=project,
        env=os.environ | {"BUKVA_TEST_STORAGE": str(project / "kept"), "COLUMNS": "500"},
        capture_output=True,
        text=True,
        check=False,
    )
