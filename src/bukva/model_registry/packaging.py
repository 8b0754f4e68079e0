"""How the inference pipeline is logged as a pyfunc."""

from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import mlflow
from kedro.io import AbstractDataset, DataCatalog
from kedro.pipeline import Pipeline
from kedro_mlflow.mlflow import KedroPipelineModel
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema
from mlflow.types.schema import Array, Map, Object, Property

import bukva
from bukva.model_registry.lean_runner import SequentialRunner

MODEL_NAME: Final = "bukva-glyph"

_REQUIRED: Final = (
    "fsspec", "kedro", "kedro-mlflow", "kedro-datasets", "mlflow", "numpy", "onnxruntime", "pandas",
    "pillow", "pydantic", "scipy",
)  # fmt: skip

_ALTERNATIVE: Final = Object(
    [Property("symbol", DataType.string), Property("probability", DataType.double)]
)

# Made by hand: the automatic signature opens a `runner` parameter, through which a caller can
# have anything imported.
SIGNATURE: Final = ModelSignature(
    inputs=Schema(
        [
            ColSpec(DataType.binary, "image"),
            ColSpec(DataType.boolean, "explain", required=False),
        ]
    ),
    outputs=Schema(
        [
            ColSpec(DataType.string, "symbol", required=False),
            ColSpec(DataType.string, "label", required=False),
            ColSpec(DataType.string, "case", required=False),
            ColSpec(DataType.double, "confidence", required=False),
            ColSpec(DataType.double, "case_confidence", required=False),
            ColSpec(DataType.boolean, "is_symbol", required=False),
            ColSpec(DataType.double, "symbol_confidence", required=False),
            ColSpec(Array(_ALTERNATIVE), "alternatives", required=False),
            ColSpec(Map(DataType.double), "measures", required=False),
            ColSpec(DataType.string, "frame", required=False),
            ColSpec(DataType.string, "error", required=False),
            ColSpec(DataType.string, "error_detail", required=False),
            # Where the input `explain` is true:
            ColSpec(Array(Array(DataType.double)), "grad_cam", required=False),
            ColSpec(Map(DataType.double), "frame_box", required=False),
        ]
    ),
)

LOG_MODEL_ARGUMENTS: Final[dict[str, Any]] = {
    "name": MODEL_NAME,
    "signature": SIGNATURE,
    # The pipeline refers to our functions by name: they travel with the model.
    "code_paths": [str(Path(bukva.__file__).parent)],
    "pip_requirements": [f"{name}=={version(name)}" for name in _REQUIRED],
}


def log_recogniser(recogniser: AbstractDataset[Any, Any], inference: Pipeline, name: str) -> str:
    """Log a recogniser as kedro-mlflow does when `packaging` ends, outside of any run.

    Args:
        recogniser: The dataset of its file, on local disk.
        inference: The pipeline from `images` and `recogniser` to answers.
        name: Of the logged model.

    Returns:
        Its address in MLflow.
    """
    catalog = DataCatalog({"recogniser": recogniser})
    model = KedroPipelineModel(inference, catalog, input_name="images", runner=SequentialRunner())
    artifacts = model.extract_pipeline_artifacts()
    logged = LOG_MODEL_ARGUMENTS | {"name": name}
    info = mlflow.pyfunc.log_model(python_model=model, artifacts=artifacts, **logged)
    return f"models:/{info.model_id}"
