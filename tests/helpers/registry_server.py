"""A real registry in a folder, and small real packaged models in it."""

import base64
import io
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import mlflow
import numpy as np
import onnx
import pandas as pd
from mlflow.artifacts import download_artifacts
from mlflow.pyfunc import PythonModel
from mlflow.tracking import MlflowClient
from PIL import Image

from bukva.registry.package_files import digest_folder
from bukva.tasks.glyph.recogniser import Recogniser
from bukva.tasks.glyph.strokes.writing import draw_symbol


class Echo(PythonModel):
    """Packaged with a recogniser beside it, which is what the registry looks at."""

    def predict(self, context, model_input: pd.DataFrame, params=None) -> pd.DataFrame:
        return model_input


def variant(onnx_model: bytes, name: str) -> bytes:
    """Another file that gives the same answers."""
    proto = onnx.load_from_string(onnx_model)
    proto.producer_name = name
    return bytes(proto.SerializeToString())


def log_model(
    folder: Path,
    name: str,
    recogniser: bytes,
    *,
    is_sealed: bool = True,
    metrics: dict[str, float] | None = None,
    **tags: str,
) -> str:
    """Log a model as `packaging` does, and return its id."""
    path = folder / "recogniser.onnx"
    path.write_bytes(recogniser)
    with mlflow.start_run():
        info = mlflow.pyfunc.log_model(
            name=name,
            python_model=Echo(),
            artifacts={"recogniser": str(path)},
            pip_requirements=["mlflow"],
        )
        if metrics:
            mlflow.log_metrics(metrics, model_id=info.model_id)
    add_golden(info.model_id, recogniser)
    MlflowClient().set_logged_model_tags(
        info.model_id, {"recogniser_sha256": Recogniser(recogniser).sha256, **tags}
    )
    if is_sealed:
        seal(info.model_id)
    return str(info.model_id)


def add_golden(model_id: str, recogniser: bytes) -> None:
    buffer = io.BytesIO()
    Image.fromarray(draw_symbol("ж", np.random.default_rng(1))).save(buffer, "PNG")
    image = buffer.getvalue()
    answer = Recogniser(recogniser).recognise(pd.Series([image])).iloc[0]
    golden: list[dict[str, Any]] = [
        {
            "image": base64.b64encode(image).decode(),
            "symbol": answer["symbol"],
            "confidence": answer["confidence"],
        }
    ]
    with TemporaryDirectory() as folder:
        place = Path(folder) / "dossier"
        place.mkdir()
        (place / "golden_samples.json").write_text(json.dumps(golden))
        MlflowClient().log_model_artifacts(model_id, folder)


def seal(model_id: str) -> None:
    """Write down which files a model has."""
    with TemporaryDirectory() as folder:
        digest = digest_folder(Path(download_artifacts(f"models:/{model_id}", dst_path=folder)))
    MlflowClient().set_logged_model_tags(model_id, {"files_sha256": digest})


def files_of(folder: Path, model_id: str) -> Path:
    """Where the files of a model are kept."""
    return folder / "artifacts" / "models" / model_id / "artifacts"
