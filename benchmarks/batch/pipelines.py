"""The pipelines over synthetic images, by the runner and without a registry."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Pipeline
from kedro.runner import SequentialRunner

import bukva_released
from bukva.configuration import open_config
from bukva.core.samples import RawSample
from bukva.pipelines.batch_inference import pipeline as batch_inference
from bukva.pipelines.data_processing import pipeline as data_processing
from bukva.pipelines.parameters import validate_parameters
from bukva.tasks.glyph.batch import AnsweringModel
from bukva.tasks.glyph.recogniser import Recogniser

PROJECT: Final = Path(__file__).parents[2]
_NAMES: Final = 10**7
_STRIDE: Final = 7_368_787
_LABELS: Final = "0123456789абвгґдеєжзиіїйклмнопрстуфхцчшщьюя"


def run_batch_inference(arrays: Path) -> None:
    """Recognise the images of an `.npy` file."""
    onnx_model = (Path(bukva_released.__file__).parent / "model.onnx").read_bytes()
    given = {"batch_inference": {"images": str(arrays), "results": str(arrays.parent / "results")}}
    model = AnsweringModel(Recogniser(onnx_model), "released")
    _run(batch_inference.create_pipeline(), arrays.parent, given, {"batch_model": model})


def run_data_processing(arrays: Path) -> None:
    """Make the sample table of a corpus that holds the images of an `.npy` file."""
    given = {"embedded": {"samples_per_symbol": 0, "with_digits": False}}
    corpora = {"mnist": partial(_read_samples, arrays)}
    pipeline = data_processing.create_pipeline()
    _run(pipeline, arrays.parent, given, {"corpora": corpora, "published_split": None})


def _read_samples(arrays: Path) -> Iterator[RawSample]:
    """Samples with the labels of the alphabet in turn, their names in no order.

    A corpus of this size is no archive.
    """
    images_NHW = np.load(arrays, mmap_mode="r")
    for row, image_HW in enumerate(images_NHW):
        split = "test" if row % 7 == 0 else "train"
        label = _LABELS[row % len(_LABELS)]
        yield RawSample(
            f"{row * _STRIDE % _NAMES:07d}", np.array(image_HW), label, split=split, has_page=False
        )


def _run(pipeline: Pipeline, storage: Path, given: dict[str, Any], known: dict[str, Any]) -> None:
    """Run a pipeline with the catalog of the project, its storage in a folder."""
    loader = open_config(PROJECT, "test", given)
    parameters = validate_parameters(loader["parameters"])
    config = yaml.safe_load(yaml.safe_dump(loader["catalog"]).replace("build/test", str(storage)))
    catalog = DataCatalog.from_config(config)
    known |= {f"params:{name}": value for name, value in parameters}
    for name in pipeline.inputs() & known.keys():
        catalog[name] = MemoryDataset(known[name], copy_mode="assign")
    SequentialRunner().run(pipeline, catalog)


RUNS: Final[dict[str, Callable[[Path], None]]] = {
    "batch_inference": run_batch_inference,
    "data_processing": run_data_processing,
}
