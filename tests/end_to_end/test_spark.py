"""The example of docs/how_to/batch.md: the packaged model as a function of Spark's tables."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from kedro_project import PROJECT
from mlflow.tracking import MlflowClient
from serving_servers import tracking_restored

from bukva.core.imaging.upscaling import encode_page
from bukva.core.samples import RawSample
from bukva.datasets.registry import PackagedModelsDataset
from bukva.registry.models import list_packaged
from bukva.registry.package_files import MODEL_NAME
from bukva.registry.packaging import Package
from bukva.tasks.glyph.recogniser import Recogniser

_BLOCK = re.compile(
    r'^```python title="run by tests/end_to_end/test_spark.py"\n(.*?)^```$', re.M | re.S
)


@pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java, which is not here")
def test_spark_answers_as_the_recogniser_does(
    drawn_pages: list[RawSample],
    random_recogniser: Recogniser,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("pyspark", reason="the extra `spark` (430 MB) is not installed")
    images = {
        f"{place}.png": encode_page(np.asarray(page.image))
        for place, page in enumerate(drawn_pages[:12])
    }
    images["notes.txt"] = b"no image"
    (tmp_path / "scans").mkdir()
    for name, content in images.items():
        (tmp_path / "scans" / name).write_bytes(content)
    # Spark's workers are processes of this Python, and know only what the environment says.
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(PROJECT / "src"), os.environ.get("PYTHONPATH", "")])
    )
    [example] = _BLOCK.findall((PROJECT / "docs" / "how_to" / "batch.md").read_text())
    with tracking_restored():
        promote(random_recogniser, tmp_path)
    # In a process of its own: Spark leaves another one behind, and its own handler of Ctrl+C.
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    done = subprocess.run(
        [sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    answers = pd.read_parquet(tmp_path / "build" / "read").set_index("path")
    answers.index = answers.index.str.rpartition("/").get_level_values(2)
    expected = random_recogniser.recognise(pd.Series(images))
    found = answers.loc[list(images)]
    for column in ("symbol", "label", "case", "error"):
        assert found[column].fillna("").tolist() == expected[column].fillna("").tolist()
    np.testing.assert_allclose(found["confidence"], expected["confidence"].astype(float), atol=1e-5)


def promote(recogniser: Recogniser, folder: Path) -> None:
    """Package a model as the pipeline does, and call it `prod`, in a registry in a folder."""
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    mlflow.create_experiment("spark", artifact_location=(folder / "artifacts").as_uri())
    mlflow.set_experiment("spark")
    inference = "bukva.pipelines.inference.pipeline.create_pipeline"
    PackagedModelsDataset(model_name=MODEL_NAME, inference=inference).save(
        Package(recogniser, {}, {}, {})
    )
    [model] = list_packaged(MODEL_NAME)
    version = mlflow.register_model(model.uri, MODEL_NAME).version
    MlflowClient().set_registered_model_alias(MODEL_NAME, "prod", version)
