"""A registry for tests that move its aliases."""

from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
from density_network import make_density_network
from mlflow import MlflowClient
from packaged_models import register
from serving_servers import tracking_restored


@pytest.fixture
def own_registry(tmp_path: Path) -> Iterator[tuple[str, str, MlflowClient]]:
    """The address of a registry with both models, its experiment, and a client of it."""
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    with tracking_restored():
        mlflow.set_tracking_uri(uri)
        artifacts = (tmp_path / "artifacts").as_uri()
        experiment_id = mlflow.create_experiment("own", artifact_location=artifacts)
        register("bukva-glyph", experiment_id)
        register("bukva-document", experiment_id, recogniser=make_density_network())
        yield uri, experiment_id, MlflowClient()
