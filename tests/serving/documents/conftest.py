"""A registry with a recogniser of glyphs and one of documents, and a service before it."""

from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
from density_network import make_density_network
from packaged_models import register
from serving_servers import Server, run_thread, tracking_restored


@pytest.fixture(scope="package")
def documents_registry(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder: Path = tmp_path_factory.mktemp("documents")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    with tracking_restored():
        mlflow.set_tracking_uri(uri)
        artifacts = (folder / "artifacts").as_uri()
        experiment_id = mlflow.create_experiment("serving", artifact_location=artifacts)
        register("bukva-glyph", experiment_id)
        register("bukva-document", experiment_id, recogniser=make_density_network())
    return uri


@pytest.fixture(scope="package")
def reader(documents_registry: str) -> Iterator[Server]:
    """The service with both models."""
    with run_thread(tracking_uri=documents_registry) as server:
        wait_for_both(server)
        yield server


def wait_for_both(server: Server) -> None:
    server.wait_until_ready()
    from serving_servers import wait_for

    wait_for(lambda: not any(server.http.get("/readyz").json()["tasks"].values()))
