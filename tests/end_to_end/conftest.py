"""The whole job in the environment `test`, run once; what changes its outcome works on a copy."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import mlflow
import pytest
from job_storage import Storage, run_job
from mlflow.tracking import MlflowClient
from released_service import run_released
from serving_servers import Server, tracking_restored


@pytest.fixture(scope="session")
def finished_job(tmp_path_factory: pytest.TempPathFactory) -> tuple[Storage, str]:
    storage = Storage(tmp_path_factory.mktemp("job"))
    return storage, run_job(storage)


@pytest.fixture(scope="session")
def job(finished_job: tuple[Storage, str]) -> Storage:
    """The storage of the job; to be looked at only."""
    return finished_job[0]


@pytest.fixture(scope="session")
def printed(finished_job: tuple[Storage, str]) -> str:
    return finished_job[1]


@pytest.fixture(scope="session")
def copy_of_job(job: Storage, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Storage]:
    def copy() -> Storage:
        folder = tmp_path_factory.mktemp("copy")
        shutil.copytree(job.path, folder, dirs_exist_ok=True)
        return Storage(folder)

    return copy


@pytest.fixture
def tracking(job: Storage) -> Iterator[MlflowClient]:
    """MLflow looks into the job's database."""
    with tracking_restored():
        mlflow.set_tracking_uri(job.tracking_uri)
        yield job.client()


@pytest.fixture(scope="session")
def released_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where `released_server` keeps its registry and, in `feedback`, corrections."""
    return tmp_path_factory.mktemp("released_service")


@pytest.fixture(scope="session")
def released_server(released_folder: Path) -> Iterator[Server]:
    """The service with the released model; it waits one second for what is slow to come."""
    patience = {"BUKVA_HEADER_TIMEOUT_S": "1", "BUKVA_BODY_TIMEOUT_S": "1"}
    with run_released(released_folder, **patience) as server:
        yield server
