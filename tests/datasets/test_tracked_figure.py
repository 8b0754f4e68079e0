"""A figure in the storage and beside the run, also where the storage is S3."""

import io
from pathlib import Path
from typing import Any

import mlflow
import pytest
from matplotlib.figure import Figure
from PIL import Image

from bukva.datasets.tracked import TrackedFigureDataset


@pytest.fixture
def figure() -> Figure:
    figure = Figure()
    figure.subplots().plot([1, 3, 2])
    return figure


def test_without_a_run_it_is_only_saved(tmp_path: Path, figure: Figure) -> None:
    dataset = TrackedFigureDataset(filepath=str(tmp_path / "new" / "curve.png"))
    dataset.save(figure)
    dataset.save(figure)  # again, over the first
    with Image.open(tmp_path / "new" / "curve.png") as image:
        assert image.format == "PNG"
        assert image.width > 400
    assert str(dataset.preview()).startswith("iVBOR")  # a PNG in base64
    assert dataset.load() == (tmp_path / "new" / "curve.png").read_bytes()


def test_a_figure_on_s3_is_logged_too(s3: Any, experiment: str, figure: Figure) -> None:
    """kedro-mlflow's wrapper looks for the saved file on local disk, and fails."""
    dataset = TrackedFigureDataset(filepath="s3://bukva/08_reporting/curve.png")
    with mlflow.start_run(experiment_id=experiment) as run:
        dataset.save(figure)
    [logged] = mlflow.artifacts.list_artifacts(run_id=run.info.run_id, artifact_path="figures")
    assert logged.path == "figures/curve.png"
    content = s3.cat_file("bukva/08_reporting/curve.png")
    with Image.open(io.BytesIO(content)) as image:
        assert image.format == "PNG"
    assert dataset.load() == content
