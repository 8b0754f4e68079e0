"""A real registry with recognisers of its own, and real servers in front of it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import mlflow
import pytest
from bar_network import make_bar_network
from density_network import make_density_network
from mlflow import MlflowClient
from packaged_models import register
from serving_servers import Server, run_process, run_thread, tracking_restored, wait_for

# Registered name -> what is different about that model.
MODELS = {
    "bukva-ink": {},
    "bukva-slow": {"delay_s": 0.5},
    "bukva-fragile": {"is_fragile": True, "has_map": False},
    "bukva-halting": {"is_fragile": True, "hanging_s": 0.5},
    "bukva-broken": {"temperature": float("nan")},
}


@pytest.fixture(scope="session")
def registry_uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('registry') / 'mlflow.db'}"


@pytest.fixture(scope="session")
def processes(registry_uri: str) -> Iterator[list[Server]]:
    """Two services; started before the registry is made, which takes as long as their start."""
    common = {"BUKVA_TRACKING_URI": registry_uri, "BUKVA_LOAD_RETRY_S": "0.1"}
    with (
        run_process(**common, BUKVA_MODEL_NAME="bukva-ink") as server,
        # It computes for half a second, and other tests take the processor from it.
        run_process(**common, BUKVA_MODEL_NAME="bukva-slow", BUKVA_DEADLINE_S="20") as doomed,
    ):
        yield [server, doomed]


@pytest.fixture(scope="session")
def registry(registry_uri: str, processes: list[Server]) -> str:
    """The address of a registry with all MODELS, each under the alias `prod`."""
    folder = Path(registry_uri.removeprefix("sqlite:///")).parent
    with tracking_restored():
        mlflow.set_tracking_uri(registry_uri)
        artifacts = (folder / "artifacts").as_uri()
        experiment_id = mlflow.create_experiment("serving", artifact_location=artifacts)
        for name, differences in MODELS.items():
            register(name, experiment_id, **differences)
    return registry_uri


@pytest.fixture
def serve() -> Callable[..., AbstractContextManager[Server]]:
    """Starts further servers in a thread, with other settings."""
    return run_thread


@pytest.fixture(scope="session")
def server(registry: str, processes: list[Server]) -> Server:
    """The service with a model, ready."""
    processes[0].wait_until_ready()
    return processes[0]


@pytest.fixture
def doomed_server(registry: str, processes: list[Server]) -> Server:
    """The service with a slow model, ready, for the one test that stops it."""
    processes[1].wait_until_ready()
    return processes[1]


@pytest.fixture(scope="session")
def openapi(server: Server) -> dict:
    return server.http.get("/openapi.json").json()


@pytest.fixture(scope="session")
def documents_registry(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a registry with a recogniser of glyphs, one of documents, one of lines."""
    folder = tmp_path_factory.mktemp("documents")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    with tracking_restored():
        mlflow.set_tracking_uri(uri)
        artifacts = (folder / "artifacts").as_uri()
        experiment_id = mlflow.create_experiment("serving", artifact_location=artifacts)
        register("bukva-glyph", experiment_id)
        register("bukva-document", experiment_id, recogniser=make_density_network())
        register("bukva-line", experiment_id, recogniser=make_bar_network())
    return uri


@pytest.fixture(scope="session")
def reader(documents_registry: str) -> Iterator[Server]:
    """The service with all models, ready."""
    with run_thread(tracking_uri=documents_registry) as server:
        server.wait_until_ready()
        for task in ("document", "line"):
            wait_for(lambda name=task: server.answers(f"/v2/models/bukva-{name}/ready"))
        yield server


@pytest.fixture
def own_registry(tmp_path: Path) -> Iterator[tuple[str, str, MlflowClient]]:
    """The address of a registry of glyphs and documents, its experiment, and a client of it."""
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    with tracking_restored():
        mlflow.set_tracking_uri(uri)
        artifacts = (tmp_path / "artifacts").as_uri()
        experiment_id = mlflow.create_experiment("own", artifact_location=artifacts)
        register("bukva-glyph", experiment_id)
        register("bukva-document", experiment_id, recogniser=make_density_network())
        yield uri, experiment_id, MlflowClient()
