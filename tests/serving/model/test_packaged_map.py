"""Real packaged recognisers, asked for maps as the service asks them."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import mlflow
import pytest
from serving_requests import draw, encode
from serving_servers import tracking_restored

from bukva.datasets.registry import PackagedModelsDataset
from bukva.inference.export import export_onnx
from bukva.inference.recogniser import Recogniser
from bukva.model_registry.packaging import Package
from bukva.models.trained import TrainedModel
from bukva.release.installing import INFERENCE
from bukva.serving.model.contract import read_map, read_row
from bukva.serving.model.drift import DriftMonitor
from bukva.serving.model.loaded import Dossier, LoadedModel
from bukva.serving.schemas import ServedModel

PAGE = encode(draw())


@pytest.fixture
def package(tmp_path: Path):
    """Package a recogniser and load it, without the checks around it."""

    def load(recogniser: Recogniser) -> LoadedModel:
        packaged = PackagedModelsDataset(model_name="bukva-glyph", inference=INFERENCE)
        packaged.save(Package(recogniser, {}, {}))
        pyfunc = mlflow.pyfunc.load_model(packaged.load()[0].uri)
        identity = ServedModel(name="bukva-glyph", version="1", alias="prod")
        return LoadedModel(
            identity, pyfunc, "", False, Dossier(), DriftMonitor({}, 1), TemporaryDirectory()
        )

    with tracking_restored():
        mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
        experiment = mlflow.create_experiment("maps", (tmp_path / "artifacts").as_uri())
        mlflow.set_experiment(experiment_id=experiment)
        yield load


def test_a_packaged_recogniser_gives_a_map_where_it_is_asked_for_one(
    package: Callable[[Recogniser], LoadedModel], random_recogniser: Recogniser
) -> None:
    model = package(random_recogniser)
    assert model.methods == ["occlusion", "gradcam"]
    plain, [row, broken] = model.predict([PAGE])[0], model.mapped.predict([PAGE, b"none"])
    assert read_map(plain) is None
    assert read_row(plain, top_k=5) == read_row(row, top_k=5)
    box, cells = read_map(row)
    assert [len(line) for line in cells] == [7] * 7
    assert max(max(line) for line in cells) == 1.0
    # The frame is larger than the drawing, which takes the middle half of its page.
    assert box.left < 0.25
    assert box.left + box.width > 0.75
    assert broken["error"] == "unsupported_format"


def test_one_whose_network_has_no_map_is_not_asked(
    package: Callable[[Recogniser], LoadedModel], make_model: Callable[..., TrainedModel]
) -> None:
    model = package(Recogniser(export_onnx(make_model(network_name="mlp"), opset=20)))
    assert model.methods == ["occlusion"]
    assert model.predict([PAGE])[0]["error"] is None
