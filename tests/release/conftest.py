from pathlib import Path

import pytest
from finished_runs import describe, finished_run

from bukva.inference.recogniser import Recogniser
from bukva.models.trained import TrainedModel
from bukva.release.making import FinishedRun, make_release
from bukva.release.manifest import RELEASED


@pytest.fixture(scope="session")
def run(random_model: TrainedModel, random_recogniser: Recogniser) -> FinishedRun:
    return finished_run(random_model, random_recogniser)


@pytest.fixture(scope="session")
def released(run: FinishedRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a released model; to be looked at only."""
    folder = tmp_path_factory.mktemp("released")
    make_release(run, describe(run), folder, tolerance=1e-4)
    return folder


@pytest.fixture(scope="session")
def recogniser() -> Recogniser:
    """The released model that comes with the project."""
    return Recogniser((RELEASED / "model.onnx").read_bytes())
