"""The model of the job that all tests share, released."""

from pathlib import Path

import pytest
from job_storage import Storage
from kedro_project import PROJECT, load_catalog

from bukva.cli.release import read_run, read_terms
from bukva.cli.released.making import FinishedRun, describe_release, make_release
from bukva.cli.released.manifest import RELEASED, Release
from bukva.core.corpora.terms import Terms
from bukva.tasks.glyph.recogniser import Recogniser


@pytest.fixture(scope="session")
def terms() -> dict[str, Terms]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(PROJECT)
        return read_terms(load_catalog("base"))


@pytest.fixture(scope="session")
def run(job: Storage) -> FinishedRun:
    return read_run(job.catalog)


@pytest.fixture(scope="session")
def release(run: FinishedRun, terms: dict[str, Terms]) -> Release:
    """What the manifest says; digits are left out of what it learnt from, so they are unseen."""
    said = {"name": "bukva-glyph", "version": "2026-11-21", "git_revision": "abc"}
    release = describe_release(run, terms, **said, note="Only a test.")
    learnt = {name: item for name, item in release.trained_on.items() if name != "digits"}
    return release.model_copy(update={"trained_on": learnt})


@pytest.fixture(scope="session")
def released(run: FinishedRun, release: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a released model; to be looked at only."""
    folder = tmp_path_factory.mktemp("released")
    make_release(run, release, folder, tolerance=1e-4)
    return folder


@pytest.fixture(scope="session")
def recogniser() -> Recogniser:
    """The released model that comes with the project."""
    return Recogniser((RELEASED / "model.onnx").read_bytes())
