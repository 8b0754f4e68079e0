"""Really packaged recognisers answer alike as a table's pyfunc, and as the service reads them."""

import base64
import json
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from former_package import ANSWERS, PACKAGE, draw_images
from mlflow import MlflowClient
from serving_requests import draw, encode
from serving_servers import tracking_restored

from bukva.cli.released.installing import INFERENCE
from bukva.datasets.registry import PackagedModelsDataset
from bukva.registry.package_files import DIGEST_TAG, digest_folder
from bukva.registry.packaging import Package
from bukva.serving.glyph_model import GlyphModel, read_map
from bukva.serving.model_source import load_model
from bukva.serving.settings import Settings
from bukva.serving.versions import ModelCache, find_version
from bukva.tasks.glyph.answer import ERROR_COLUMNS, READING_COLUMNS, Answer
from bukva.tasks.glyph.export import export_onnx
from bukva.tasks.glyph.recogniser import Recogniser
from bukva.tasks.glyph.trained import TrainedModel


@pytest.fixture(scope="module")
def tracking_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("ways")
    with tracking_restored():
        uri = f"sqlite:///{folder}/mlflow.db"
        mlflow.set_tracking_uri(uri)
        experiment = mlflow.create_experiment("ways", (folder / "artifacts").as_uri())
        mlflow.set_experiment(experiment_id=experiment)
        yield uri


def serve_version(source: str, tracking_uri: str, tmp_path: Path, **tags: str) -> GlyphModel:
    """Register what lies somewhere, and load it as the service does."""
    client, name = MlflowClient(), f"bukva-{tmp_path.name}"
    client.create_registered_model(name)
    version = client.create_model_version(name, source, tags=tags)
    client.set_registered_model_alias(name, "prod", version.version)
    settings = Settings(
        tracking_uri=tracking_uri, model_name=name, model_cache=tmp_path / "cache", deadline_s=30
    )
    return load_model(find_version(settings), settings, ModelCache(settings), GlyphModel)


@pytest.fixture
def package(tracking_uri: str, tmp_path: Path):
    """Package a recogniser; give its pyfunc, and the version as the service loads it."""

    def load(recogniser: Recogniser) -> tuple[Any, GlyphModel]:
        packaged = PackagedModelsDataset(model_name=tmp_path.name, inference=INFERENCE)
        packaged.save(Package(recogniser, {}, {}))
        model = packaged.load()[0]
        digest = {DIGEST_TAG: model.tags[DIGEST_TAG]}
        loaded = serve_version(model.uri, tracking_uri, tmp_path, **digest)
        return mlflow.pyfunc.load_model(model.uri), loaded

    return load


def to_row(answer: Answer) -> dict[str, Any]:
    """An answer as a row of the table."""
    fields = answer.model_dump()
    reading, failure = fields.pop("reading"), fields.pop("failure")
    no_reading, no_failure = dict.fromkeys(READING_COLUMNS), dict.fromkeys(ERROR_COLUMNS)
    return fields | (reading or no_reading) | (failure or no_failure)


def assert_alike(answers: list[Answer], rows: list[dict[str, Any]]) -> None:
    assert [to_row(answer) for answer in answers] == _approximately(rows)


def _approximately(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _approximately(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_approximately(each) for each in value]
    return pytest.approx(value, abs=1e-6) if isinstance(value, float) else value


def test_a_packaged_recogniser_answers_alike_in_both_ways(
    package: Callable[[Recogniser], tuple[Any, GlyphModel]], random_recogniser: Recogniser
) -> None:
    pyfunc, model = package(random_recogniser)
    images = draw_images()
    table = pyfunc.predict(pd.DataFrame({"image": images, "explain": True}))
    assert model.mapped is not None
    assert_alike(model.mapped.predict(images), table.to_dict(orient="records"))
    plain = [answer.model_copy(update={"grad_cam": None, "frame_box": None})
             for answer in model.mapped.predict(images)]  # fmt: skip
    assert model.predict(images) == plain
    assert len({answer.reading.symbol for answer in plain if answer.reading}) > 1
    codes = [answer.failure and answer.failure.error for answer in plain]
    assert codes == [None] * 8 + ["unsupported_format", "empty_image", None]


def test_a_table_may_hold_bytes_in_any_form(
    package: Callable[[Recogniser], tuple[Any, GlyphModel]], random_recogniser: Recogniser
) -> None:
    pyfunc, _ = package(random_recogniser)
    images = [encode(draw(pen_px=pen)) for pen in (4, 14, 30)]
    expected = pyfunc.predict(pd.DataFrame({"image": images})).to_dict(orient="records")
    assert [row["error"] for row in expected] == [None] * 3
    hugging_face = [{"bytes": image, "path": "a.png"} for image in images]
    arrow_backed = pd.Series(images, dtype=pd.ArrowDtype(pa.binary()))
    for held in (
        [bytearray(image) for image in images],
        [memoryview(image) for image in images],
        [np.frombuffer(image, np.uint8) for image in images],
        [np.void(image) for image in images],
        [pa.py_buffer(image) for image in images],
        list(pa.array(images)),
        list(pa.array(images, pa.binary_view())),
        hugging_face,
        arrow_backed.astype(object),
        # As `pandas.read_parquet` gives a table of theirs.
        pa.table({"image": hugging_face}).to_pandas()["image"],
    ):
        table = pd.DataFrame({"image": pd.Series(held, dtype=object)})
        assert pyfunc.predict(table).to_dict(orient="records") == _approximately(expected)


def test_what_a_table_holds_beside_bytes_harms_no_row(
    package: Callable[[Recogniser], tuple[Any, GlyphModel]], random_recogniser: Recogniser
) -> None:
    pyfunc, _ = package(random_recogniser)
    images = [encode(draw()), None, "text", 1.5, {"path": "a.png"}, np.zeros((2, 2, 3))]
    errors = pyfunc.predict(pd.DataFrame({"image": images}))["error"].tolist()
    assert errors == [None] + ["undecodable_image"] * 4 + ["unsupported_format"]


def test_a_version_of_the_former_packaging_is_served_as_it_answered_then(
    tracking_uri: str, tmp_path: Path
) -> None:
    """Packaged by revision d10ac51, with its own preprocessing: `former_package.py`."""
    former = json.loads(ANSWERS.read_text(encoding="utf-8"))
    with tarfile.open(PACKAGE) as archive:
        archive.extractall(tmp_path / "former", filter="data")
    files = tmp_path / "former" / "model"
    assert (files / "python_model.pkl").is_file()
    assert digest_folder(files) == former["files_sha256"]
    digest = {DIGEST_TAG: former["files_sha256"]}
    model = serve_version(files.as_uri(), tracking_uri, tmp_path, **digest)
    images = [base64.b64decode(image) for image in former["images"]]
    assert model.mapped is not None
    assert_alike(model.mapped.predict(images), former["rows"])
    # Of too little contrast for this version, and not for those of today.
    assert former["rows"][-1]["error"] == "empty_image"
    assert model.dossier.results == {"all.label_accuracy": 0.5}


def test_the_map_of_a_packaged_recogniser_lies_around_the_drawing(
    package: Callable[[Recogniser], tuple[Any, GlyphModel]], random_recogniser: Recogniser
) -> None:
    _, model = package(random_recogniser)
    assert model.methods == ["occlusion", "gradcam"]
    assert model.mapped is not None
    answer, broken = model.mapped.predict([encode(draw()), b"none"])
    found = read_map(answer)
    assert found is not None
    box, cells = found
    assert [len(line) for line in cells] == [7] * 7
    assert max(max(line) for line in cells) == 1.0
    # The frame is larger than the drawing, which takes the middle half of its page.
    assert box.left < 0.25
    assert box.left + box.width > 0.75
    assert broken.failure is not None
    assert read_map(broken) is None


def test_one_whose_network_has_no_map_is_not_asked(
    package: Callable[[Recogniser], tuple[Any, GlyphModel]],
    make_model: Callable[..., TrainedModel],
) -> None:
    _, model = package(Recogniser(export_onnx(make_model(network_name="mlp"), opset=20)))
    assert model.methods == ["occlusion"]
    assert model.predict([encode(draw())])[0].failure is None
