"""A table in the storage and beside the run, also where the storage is S3."""

from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from serving_servers import tracking_restored

from bukva.datasets.table import TrackedTableDataset

TABLE = pd.DataFrame({"label": ["ґ", "7"], "recall": [0.5, 1.0]}, index=[3, 1])


def test_without_a_run_it_is_only_saved(tmp_path: Path) -> None:
    dataset = TrackedTableDataset(filepath=str(tmp_path / "new" / "classes.csv"))
    dataset.save(TABLE)
    pd.testing.assert_frame_equal(dataset.load(), TABLE.reset_index(drop=True))
    assert dict(dataset.preview())["columns"] == ["label", "recall"]


def test_a_table_on_s3_is_logged_too(s3: Any, tmp_path: Path) -> None:
    dataset = TrackedTableDataset(filepath="s3://bukva/08_reporting/classes.csv")
    with tracking_restored():
        mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
        experiment = mlflow.create_experiment("tables", (tmp_path / "artifacts").as_uri())
        with mlflow.start_run(experiment_id=experiment) as run:
            dataset.save(TABLE)
        logged = mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/tables/classes.csv")
    assert logged == "label,recall\nґ,0.5\n7,1.0\n"
    assert s3.cat_file("bukva/08_reporting/classes.csv").decode() == logged
