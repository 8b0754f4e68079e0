"""Batch predictions in a folder of the test's own, by the runner and no session."""

import io
import os
import signal
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
from kedro_datasets.json import JSONDataset
from PIL import Image

from bukva.datasets.atomic import AtomicWriter, install_atomic_saves
from bukva.datasets.batch import BatchImagesDataset, BatchProgressDataset, PartsDataset
from bukva.inference.batch import AnsweringModel
from bukva.inference.recogniser import Recogniser
from bukva.parameters import BatchInferenceParameters
from bukva.pipelines import batch_inference

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
        install_atomic_saves()
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
    write, close = AtomicWriter.write, AtomicWriter.close

    def is_it(writer: AtomicWriter) -> bool:
        return writer._target.name == f"part-{part:06d}.parquet"

    def deadly_write(writer: AtomicWriter, data: Any) -> int:
        if is_it(writer) and where == "within":
            write(writer, bytes(data)[: len(data) // 2])
            writer.flush()
        if is_it(writer) and where in ("before", "within"):
            os.kill(os.getpid(), signal.SIGKILL)
        return write(writer, data)

    def deadly_close(writer: AtomicWriter) -> None:
        is_last = is_it(writer) and not writer.closed
        close(writer)
        if is_last and where == "after":
            os.kill(os.getpid(), signal.SIGKILL)

    AtomicWriter.write, AtomicWriter.close = deadly_write, deadly_close  # type: ignore[method-assign]


def rows_of(table: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    """Rows that can be compared, alternatives as text."""
    shown = table.assign(alternatives=table["alternatives"].map(_to_text))
    shown = shown.astype(object).where(shown.notna(), None)
    return shown.itertuples(index=False, name=None)


def _to_text(alternatives: Any) -> str:
    return "" if alternatives is None else str([dict(item) for item in alternatives])
