"""Where the files of models lie, for projects that were moved, copied, or seen at another path."""

from pathlib import Path

import pytest

from bukva.registry.package_files import local_path, locate_files, sqlite_path

MODEL = "mlartifacts/models/m-1/artifacts"


def project(folder: Path, *, with_files: bool = True) -> str:
    """Make a project's artifacts, and return the address of its registry."""
    folder.mkdir(parents=True)
    if with_files:
        (folder / MODEL).mkdir(parents=True)
    return f"sqlite:///{folder}/mlflow.db"


def test_what_lies_below_the_registry_stays_what_it_is(tmp_path: Path) -> None:
    registry = project(tmp_path / "here", with_files=False)
    recorded = f"{tmp_path}/here/{MODEL}"
    assert locate_files(recorded, registry) == recorded
    assert locate_files(f"file://{recorded}", registry) == f"file://{recorded}"


@pytest.mark.parametrize("name", ["here", "мій проєкт"])
def test_a_copy_reads_its_own_files_though_the_original_is_there(tmp_path: Path, name: str) -> None:
    project(tmp_path / "original")
    registry = project(tmp_path / name)
    recorded = tmp_path / "original" / MODEL
    expected = str(tmp_path / name / MODEL)
    assert locate_files(str(recorded), registry) == expected
    assert locate_files(recorded.as_uri(), registry) == expected


def test_an_address_of_a_folder_whose_name_was_encoded_is_read(tmp_path: Path) -> None:
    registry = project(tmp_path / "new")
    assert "%D0" in (tmp_path / "старий" / MODEL).as_uri()
    recorded = (tmp_path / "старий" / MODEL).as_uri()
    assert locate_files(recorded, registry) == str(tmp_path / "new" / MODEL)


def test_the_longest_ending_counts(tmp_path: Path) -> None:
    registry = project(tmp_path / "here")
    (tmp_path / "here" / "build" / "test" / MODEL).mkdir(parents=True)
    recorded = f"/elsewhere/build/test/{MODEL}"
    assert locate_files(recorded, registry) == f"{tmp_path}/here/build/test/{MODEL}"


def test_what_was_not_moved_along_is_named_as_it_was_recorded(tmp_path: Path) -> None:
    registry = project(tmp_path / "here", with_files=False)
    assert locate_files(f"/elsewhere/{MODEL}", registry) == f"/elsewhere/{MODEL}"


@pytest.mark.parametrize("registry", ["http://127.0.0.1:5000", "postgresql://u@h/mlflow"])
def test_a_registry_that_is_no_file_does_not_move(tmp_path: Path, registry: str) -> None:
    project(tmp_path / "here")
    assert locate_files(f"/elsewhere/{MODEL}", registry) == f"/elsewhere/{MODEL}"


@pytest.mark.parametrize("address", ["s3://bucket/a", "mlflow-artifacts:/a", "models:/m-1"])
def test_other_stores_are_left_alone(tmp_path: Path, address: str) -> None:
    assert local_path(address) is None
    assert locate_files(address, project(tmp_path / "here")) == address


def test_the_file_of_a_registry_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert sqlite_path("sqlite:///mlflow.db") == tmp_path / "mlflow.db"
    assert sqlite_path("sqlite+pysqlite:////a/b.db?timeout=3") == Path("/a/b.db")
    assert sqlite_path("sqlite:///:memory:") is None
