"""A project's folder renamed, copied, or seen at another path: its registry goes on."""

import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import mlflow
import pytest
from mlflow.tracking import MlflowClient
from registry_server import log_model, variant
from serving_servers import tracking_restored

from bukva.errors import RegistryError
from bukva.registry.models import find_files, has_files, list_packaged, list_versions
from bukva.registry.package_files import local_path
from bukva.registry.production import put_into_production, roll_back
from bukva.registry.registry import find_same, register, require_version, verify
from bukva.registry.tracking import keep_artifacts_here

# Another spelling of an address is another connection; SQLite does not know what it says.
pytestmark = pytest.mark.filterwarnings("ignore:Query string argument")

NAME, EXPERIMENT = "moved", "moves"
_NUMBERS = count()


def address_of(project: Path) -> str:
    """The address of a project's registry, spelt anew each time.

    MLflow keeps connections by their address, also to a file that was moved since.
    """
    return f"sqlite:///{project}/mlflow.db?application_name={next(_NUMBERS)}"


def open_registry(project: Path) -> None:
    """As a session does before a run: the registry and the experiment of a project."""
    uri = address_of(project)
    keep_artifacts_here(uri, EXPERIMENT, "artifacts", project)
    mlflow.set_tracking_uri(uri)
    if MlflowClient().get_experiment_by_name(EXPERIMENT) is None:
        mlflow.create_experiment(EXPERIMENT, artifact_location=(project / "artifacts").as_uri())
    mlflow.set_experiment(EXPERIMENT)


@pytest.fixture(scope="module")
def made(
    registry_folder: Path, tmp_path_factory: pytest.TempPathFactory, random_onnx: bytes
) -> Iterator[Path]:
    """A project with three packaged models, two of them registered, the second in production."""
    project = tmp_path_factory.mktemp("projects") / "мій проєкт"
    project.mkdir()
    with tracking_restored():
        open_registry(project)
        for number in ("1", "2"):
            log_model(project, NAME, variant(random_onnx, number))
            assert register(list_packaged(NAME)[0], NAME).version == number
        put_into_production(NAME, "1", expected="", why="the first")
        put_into_production(NAME, "2", expected="1", why="better")
        log_model(project, NAME, variant(random_onnx, "3"))
        yield project
    mlflow.set_experiment("bukva")  # of the registry of all other tests


@pytest.fixture
def original(made: Path, tmp_path: Path) -> Iterator[Path]:
    """The project, which is put back afterwards as it was."""
    shutil.copytree(made, tmp_path / "kept")
    mlflow.set_tracking_uri(address_of(made))
    yield made
    shutil.rmtree(made, ignore_errors=True)
    shutil.move(tmp_path / "kept", made)


def place_of(uri: str) -> Path:
    path = local_path(find_files(uri))
    assert path is not None
    return path


def files_below(folder: Path) -> dict[Path, int]:
    return {
        path.relative_to(folder): path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_renamed_project_answers_and_rolls_back(original: Path, tmp_path: Path) -> None:
    moved = tmp_path / "renamed"
    original.rename(moved)
    open_registry(moved)
    for version in ("1", "2"):
        verify(require_version(NAME, version), NAME)
    packaged = list_packaged(NAME)
    assert len(packaged) == 3
    assert all(place_of(model.uri).is_relative_to(moved) for model in packaged)
    third = register(packaged[0], NAME)
    assert third.version == "3"
    put_into_production(NAME, "3", expected="2", why="packaged before the move")
    assert roll_back(NAME, "after the move") == "2"
    assert list_versions(NAME)["prod"].onnx_model


def test_a_copy_reads_and_writes_its_own_files(
    original: Path, tmp_path: Path, random_onnx: bytes
) -> None:
    copy = Path(shutil.copytree(original, tmp_path / "copy"))
    before = files_below(original)
    open_registry(copy)
    assert place_of(list_versions(NAME)["prod"].uri).is_relative_to(copy)
    model_id = log_model(copy, NAME, variant(random_onnx, "4"))
    assert place_of(f"models:/{model_id}").is_relative_to(copy)
    made = register(list_packaged(NAME)[0], NAME)
    put_into_production(NAME, made.version, expected="2", why="made by the copy")
    assert files_below(original) == before
    open_registry(original)
    assert list_versions(NAME)["prod"].version == "2"


def test_a_project_that_comes_back_has_its_experiment_again(original: Path, tmp_path: Path) -> None:
    first = mlflow.set_experiment(EXPERIMENT).experiment_id
    moved = tmp_path / "renamed"
    for _ in range(2):
        original.rename(moved)
        open_registry(moved)
        second = mlflow.set_experiment(EXPERIMENT)
        assert second.experiment_id != first
        assert second.artifact_location == (moved / "artifacts").as_uri()
        moved.rename(original)
        open_registry(original)
        assert mlflow.set_experiment(EXPERIMENT).experiment_id == first


def test_a_project_reached_by_a_link_is_the_same(original: Path, tmp_path: Path) -> None:
    first = mlflow.set_experiment(EXPERIMENT).experiment_id
    (tmp_path / "link").symlink_to(original)
    open_registry(tmp_path / "link")
    assert mlflow.set_experiment(EXPERIMENT).experiment_id == first
    verify(require_version(NAME, "prod"), NAME)


def test_artifacts_that_lie_elsewhere_by_intent_stay_there(original: Path) -> None:
    """Two projects may share a database, or keep artifacts on another disk."""
    first = mlflow.set_experiment(EXPERIMENT).experiment_id
    uri = address_of(original)
    keep_artifacts_here(uri, EXPERIMENT, "/another/disk/artifacts", original)
    keep_artifacts_here(uri, EXPERIMENT, "s3://bucket/artifacts", original)
    keep_artifacts_here(uri, EXPERIMENT, "artifacts", original.parent)
    keep_artifacts_here("http://127.0.0.1:1", EXPERIMENT, "artifacts", original)
    assert mlflow.set_experiment(EXPERIMENT).experiment_id == first


def test_where_only_the_database_was_taken_along_the_address_is_named(
    original: Path, tmp_path: Path
) -> None:
    recorded = place_of(list_versions(NAME)["prod"].uri)
    (tmp_path / "bare").mkdir()
    shutil.copy(original / "mlflow.db", tmp_path / "bare")
    shutil.rmtree(original)
    mlflow.set_tracking_uri(address_of(tmp_path / "bare"))
    prod = list_versions(NAME)["prod"]
    assert not has_files(prod)
    with pytest.raises(RegistryError) as caught:
        verify(prod, NAME)
    assert str(recorded) in str(caught.value)
    assert "mlartifacts belongs beside mlflow.db" in str(caught.value)
    assert "bukva release install" in str(caught.value)
    # What is there no more is not taken for known.
    assert find_same(NAME, prod.sha256) is None
