"""Tables in the storage and beside the run, also where the storage is S3."""

from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from kedro.io import DatasetError

from bukva.datasets.table import LongTableDataset
from bukva.datasets.tracked import TrackedTableDataset

TABLE = pd.DataFrame({"label": ["ґ", "7"], "recall": [0.5, 1.0]}, index=[3, 1])


def test_without_a_run_it_is_only_saved(tmp_path: Path) -> None:
    dataset = TrackedTableDataset(filepath=str(tmp_path / "new" / "classes.csv"))
    dataset.save(TABLE)
    pd.testing.assert_frame_equal(dataset.load(), TABLE.reset_index(drop=True))
    assert dict(dataset.preview())["columns"] == ["label", "recall"]


def test_a_table_on_s3_is_logged_too(s3: Any, experiment: str) -> None:
    dataset = TrackedTableDataset(filepath="s3://bukva/08_reporting/classes.csv")
    with mlflow.start_run(experiment_id=experiment) as run:
        dataset.save(TABLE)
    logged = mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/tables/classes.csv")
    assert logged == "label,recall\nґ,0.5\n7,1.0\n"
    assert s3.cat_file("bukva/08_reporting/classes.csv").decode() == logged


def make_long_table(count: int) -> pd.DataFrame:
    place = np.arange(count)
    text = pd.Series([None if row % 3 else f"рядок {row}" for row in place], dtype="str")
    truth = pd.array([[True, False, None][row % 3] for row in place], dtype="boolean")
    return pd.DataFrame({"text": text, "truth": truth, "height": place / 7, "is_last": place > 9})


@pytest.mark.parametrize("count", [0, 5, 20_000])
@pytest.mark.parametrize("folder", ["local", "s3"])
def test_a_long_table_comes_back_mapped(
    folder: str, count: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if folder == "s3":
        request.getfixturevalue("s3")
    root = tmp_path if folder == "local" else "s3://bukva/02_intermediate"
    dataset = LongTableDataset(filepath=f"{root}/table_{count}.parquet")
    assert not dataset.exists()
    table = make_long_table(count)
    dataset.save(table)
    loaded = dataset.load()
    pd.testing.assert_frame_equal(loaded, table)
    assert not count or not loaded["height"].to_numpy().flags.owndata


def test_any_parquet_reader_reads_a_long_table(tmp_path: Path) -> None:
    table = make_long_table(70_000)
    LongTableDataset(filepath=str(tmp_path / "table.parquet")).save(table)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "table.parquet"), table)
    # In groups of rows, so that nobody needs to hold all of them.
    assert pq.ParquetFile(tmp_path / "table.parquet").num_row_groups == 2


def test_a_long_table_that_is_cut_off_is_named(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    dataset = LongTableDataset(filepath=str(path))
    dataset.save(make_long_table(100))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DatasetError, match=r"table\.parquet"):
        dataset.load()
