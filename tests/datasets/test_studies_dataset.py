from pathlib import Path

import pytest
from kedro.io import DatasetError

from bukva.datasets.tuning import StudiesDataset

URL = "postgresql+psycopg://me:secret@db.example.org/studies"


def test_studies_lie_in_a_file_whose_folder_is_made(tmp_path: Path) -> None:
    path = tmp_path / "06_models" / "studies.db"
    assert StudiesDataset(filepath=str(path)).load() == f"sqlite:///{path}"
    assert path.parent.is_dir()


def test_one_setting_puts_them_into_a_database(tmp_path: Path) -> None:
    dataset = StudiesDataset(filepath=str(tmp_path / "unused" / "studies.db"), url=URL)
    assert dataset.load() == URL
    assert not (tmp_path / "unused").exists()
    assert "secret" not in str(dataset)
    assert "db.example.org/studies" in str(dataset)


def test_a_node_cannot_save_studies(tmp_path: Path) -> None:
    dataset = StudiesDataset(filepath=str(tmp_path / "studies.db"))
    with pytest.raises(DatasetError, match="read-only"):
        dataset.save("sqlite://")  # type: ignore[arg-type]
