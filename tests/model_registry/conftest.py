import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import mlflow
import pytest
from registry_server import log_model, variant
from serving_servers import tracking_restored

from bukva.model_registry.models import list_packaged
from bukva.model_registry.registry import register


@pytest.fixture(scope="package")
def registry_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with MLflow's database and artifacts; MLflow looks there during these tests."""
    folder = tmp_path_factory.mktemp("model_registry")
    with tracking_restored():
        mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
        mlflow.create_experiment("bukva", artifact_location=(folder / "artifacts").as_uri())
        mlflow.set_experiment("bukva")
        yield folder


@pytest.fixture
def name(request: pytest.FixtureRequest, registry_folder: Path) -> str:
    """A model's name of the test's own: all tests share one registry."""
    test = str(request.node.name).removeprefix("test_")
    return f"{re.sub('[^a-z0-9]+', '-', test)[:40]}-{zlib.crc32(test.encode()):08x}"


@pytest.fixture
def versions(name: str, registry_folder: Path, random_onnx: bytes) -> Callable[[int], list[str]]:
    """Return a function that registers so many versions, none of them in production."""

    def make(count: int) -> list[str]:
        made = []
        for number in range(count):
            log_model(registry_folder, name, variant(random_onnx, f"{name} {number}"))
            made.append(register(list_packaged(name)[0], name).version)
        return made

    return make
