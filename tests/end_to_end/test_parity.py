"""One model in four forms gives one answer: torch, ONNX, the packaged pyfunc, and over HTTP."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from job_storage import Storage
from kedro_project import load_catalog, storage_at
from serving_servers import run_process

from bukva.core.imaging.decoding import decode_image, to_grey
from bukva.tasks.glyph.answer import sigmoid, softmax
from bukva.tasks.glyph.charset import LABELS, NO_SYMBOL
from bukva.tasks.glyph.preprocessing import preprocess
from bukva.tasks.glyph.trained import TrainedModel, predict_logits

TOLERANCE = 1e-4
FRESH_PROCESS = Path(__file__).parents[1] / "helpers" / "load_packaged.py"
Answers = list[dict[str, Any]]


@pytest.fixture(scope="module")
def golden(job: Storage) -> Path:
    return job.path / "07_model_output" / "golden_samples.parquet"


@pytest.fixture(scope="module")
def images(golden: Path) -> pd.Series:
    return pd.read_parquet(golden)["image"]


@pytest.fixture(scope="module")
def trained(job: Storage) -> TrainedModel:
    with storage_at(job.path):
        model: TrainedModel = load_catalog("test").load("finetuning.model")
    return model


@pytest.fixture(scope="module")
def from_onnx(job: Storage, images: pd.Series) -> Answers:
    with storage_at(job.path):
        answers = load_catalog("test").load("recogniser").recognise(images)
    records: Answers = answers.to_dict("records")
    return records


@pytest.fixture(scope="module")
def fresh_process(job: Storage, golden: Path, tmp_path_factory: Any) -> dict[str, Any]:
    environment = {
        k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "MLFLOW_TRACKING_URI")
    }
    done = subprocess.run(
        [sys.executable, str(FRESH_PROCESS), job.tracking_uri, str(golden)],
        cwd=tmp_path_factory.mktemp("elsewhere"),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def from_http(job: Storage, images: pd.Series) -> Answers:
    with run_process(BUKVA_TRACKING_URI=job.tracking_uri) as server:
        server.wait_until_ready()
        return [
            server.http.post("/v1/predict", files={"file": ("a.png", image)})
            .raise_for_status()
            .json()
            for image in images
        ]


def probabilities(answers: Answers) -> np.ndarray:
    """Rows of confidences of label, case and symbol, and the alternatives best first."""
    rows = [
        [answer["confidence"], answer["case_confidence"], answer["symbol_confidence"]]
        + [item["probability"] for item in answer["alternatives"]]
        for answer in answers
    ]
    return np.array(rows, dtype=float)


def symbols(answers: Answers) -> list[str | None]:
    """None where an image is refused."""
    return [answer["symbol"] for answer in answers]


def test_the_answers_differ_from_image_to_image(from_onnx: Answers) -> None:
    """Or parity would show nothing."""
    assert len(from_onnx) == 76
    assert np.nanstd(probabilities(from_onnx)[:, 0]) > 0.02
    assert np.std(probabilities(from_onnx)[:, 2]) > 0.001
    assert len(set(symbols(from_onnx))) > 5


def test_torch_and_onnx(trained: TrainedModel, images: pd.Series, from_onnx: Answers) -> None:
    glyphs = [preprocess(to_grey(decode_image(image))) for image in images]
    logits = predict_logits(
        trained.to_network(),
        np.stack([glyph.image_HW for glyph in glyphs]),
        np.stack([glyph.page_F for glyph in glyphs]),
    )
    class_NC, uppercase_N = softmax(logits.label_NK), sigmoid(logits.case_N)
    case_N = np.maximum(uppercase_N, 1 - uppercase_N)
    symbol_N = 1 - class_NC[:, trained.spec.labels.index(NO_SYMBOL)]
    found_NP = probabilities(from_onnx)
    np.testing.assert_allclose(found_NP[:, 2], symbol_N, atol=TOLERANCE)
    is_symbol_N = np.array([answer["is_symbol"] for answer in from_onnx])
    assert is_symbol_N.sum() > 60
    label_NK = class_NC[:, : len(LABELS)] / symbol_N[:, None]
    labels_N = np.array(list(LABELS))[label_NK.argmax(axis=1)]
    found_N = np.array([answer["label"] for answer in from_onnx])
    np.testing.assert_array_equal(found_N[is_symbol_N], labels_N[is_symbol_N])
    confidence_N = np.where(is_symbol_N, label_NK.max(axis=1), np.nan)
    np.testing.assert_allclose(found_NP[:, 0], confidence_N, atol=TOLERANCE)
    has_case_N = ~np.isnan(found_NP[:, 1])
    assert has_case_N.sum() > 20
    np.testing.assert_allclose(found_NP[has_case_N, 1], case_N[has_case_N], atol=TOLERANCE)


def test_onnx_and_pyfunc(from_onnx: Answers, fresh_process: dict[str, Any]) -> None:
    from_pyfunc = json.loads(fresh_process["answers"])
    assert symbols(from_pyfunc) == symbols(from_onnx)
    np.testing.assert_allclose(probabilities(from_pyfunc), probabilities(from_onnx), atol=TOLERANCE)


def test_onnx_and_http(from_onnx: Answers, from_http: Answers) -> None:
    assert symbols(from_http) == symbols(from_onnx)
    np.testing.assert_allclose(probabilities(from_http), probabilities(from_onnx), atol=TOLERANCE)
    assert from_http[0]["model"] == {"name": "bukva-glyph", "version": "2", "alias": "prod"}


def test_golden_samples_are_what_the_recogniser_answers(golden: Path, from_onnx: Answers) -> None:
    table = pd.read_parquet(golden)
    assert table["symbol"].fillna("none").tolist() == [s or "none" for s in symbols(from_onnx)]
    np.testing.assert_allclose(table["confidence"], probabilities(from_onnx)[:, 0], atol=1e-6)


def test_the_model_brings_its_own_code(job: Storage, fresh_process: dict[str, Any]) -> None:
    """The process had neither torch nor the project, nor a Kedro project around it."""
    code = Path(fresh_process["bukva"])
    assert job.path / "mlartifacts" in code.parents
    assert not fresh_process["has_kedro_project"]


def test_the_signature_takes_images_whether_to_explain_and_no_parameter(
    fresh_process: dict[str, Any],
) -> None:
    assert fresh_process["inputs"] == ["image", "explain", "source"]
    assert fresh_process["params"] == "None"


def test_parameters_of_a_caller_do_nothing(fresh_process: dict[str, Any]) -> None:
    """kedro-mlflow imports what a `runner` parameter names, if the signature lets it through."""
    assert not fresh_process["imported_by_params"]
    assert fresh_process["answered_with_params"] == fresh_process["answers"]
