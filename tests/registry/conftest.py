import re
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import mlflow
import pytest
from mlflow_server import run_mlflow, run_postgresql
from registry_server import log_model, variant
from serving_servers import tracking_restored

from bukva.registry.models import list_packaged
from bukva.registry.registry import register

EXPERIMENT = "bukva"


@pytest.fixture(scope="package")
def registry_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with MLflow's database and artifacts; MLflow looks there during these tests."""
    folder = tmp_path_factory.mktemp("model_registry")
    with tracking_restored():
        mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
        mlflow.create_experiment(EXPERIMENT, artifact_location=(folder / "artifacts").as_uri())
        mlflow.set_experiment(EXPERIMENT)
        yield folder


@pytest.fixture
def name(request: pytest.FixtureRequest, registry_folder: Path) -> str:
    """A model's name of the test's own: all tests share one registry."""
    test = str(request.node.name).removeprefix("test_")
    return f"{re.sub('[^a-z0-9]+', '-', test)[:40]}-{zlib.crc32(test.encode()):08x}"


MakeVersions = Callable[[int], list[str]]


@pytest.fixture
def versions(name: str, registry_folder: Path, random_onnx: bytes) -> MakeVersions:
    """Return a function that registers so many versions, none of them in production."""
    return partial(make_versions, registry_folder, name, random_onnx)


def make_versions(folder: Path, name: str, onnx_model: bytes, count: int) -> list[str]:
    made = []
    for number in range(count):
        log_model(folder, name, variant(onnx_model, f"{name} {number}"))
        made.append(register(list_packaged(name)[0], name).version)
    return made


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    with run_postgresql("mlflow") as address:
        yield address


@pytest.fixture(scope="session")
def mlflow_server(postgresql: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """MLflow on PostgreSQL; clients have no other way to either, nor to the artifacts."""
    with run_mlflow(postgresql, artifacts=tmp_path_factory.mktemp("artifacts")) as address:
        yield address


@pytest.fixture
def versions_anywhere(
    request: pytest.FixtureRequest, name: str, tmp_path: Path, random_onnx: bytes
) -> Iterator[MakeVersions]:
    """As `versions`, in a registry of the kind that the test names."""
    kinds = {"postgresql": "postgresql", "server": "mlflow_server"}
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    if request.param in kinds:
        uri = request.getfixturevalue(kinds[request.param])
    with tracking_restored():
        mlflow.set_tracking_uri(uri)
        if request.param == "server":
            mlflow.set_experiment(name)
        else:
            mlflow.create_experiment(name, artifact_location=(tmp_path / "artifacts").as_uri())
            mlflow.set_experiment(name)
        yield partial(make_versions, tmp_path, name, random_onnx)
    mlflow.set_experiment(EXPERIMENT)
