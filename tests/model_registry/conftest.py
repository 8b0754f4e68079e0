from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
from serving_servers import tracking_restored


@pytest.fixture(scope="package")
def registry_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with MLflow's database and artifacts; MLflow looks there during these tests."""
    folder = tmp_path_factory.mktemp("model_registry")
    with tracking_restored():
        mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
        mlflow.create_experiment("bukva", artifact_location=(folder / "artifacts").as_uri())
        mlflow.set_experiment("bukva")
        yield folder
