import json
from pathlib import Path

import pytest
from kedro.io import DatasetError

from targets.measurements import MeasurementsDataset


def write(path: Path, content: dict[str, float]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content))


def dataset_in(folder: Path) -> MeasurementsDataset:
    return MeasurementsDataset(folder=str(folder), files=["results.json", "benchmark/*.json"])


def test_files_are_merged_and_the_later_one_counts(tmp_path: Path) -> None:
    write(tmp_path / "results.json", {"a": 1, "b": 1})
    write(tmp_path / "benchmark" / "size.json", {"b": 2})
    write(tmp_path / "benchmark" / "times.json", {"c": 3})
    write(tmp_path / "other.json", {"d": 4})
    assert dataset_in(tmp_path).load() == {"a": 1, "b": 2, "c": 3}


def test_nothing_measured_is_no_error(tmp_path: Path) -> None:
    assert dataset_in(tmp_path / "nowhere").load() == {}


def test_a_file_of_a_later_run_is_seen(tmp_path: Path) -> None:
    dataset = dataset_in(tmp_path)
    assert dataset.load() == {}
    write(tmp_path / "benchmark" / "size.json", {"b": 2})
    assert dataset.load() == {"b": 2}


def test_it_is_never_saved(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="write measurements"):
        dataset_in(tmp_path).save({})
