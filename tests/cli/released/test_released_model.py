"""The model that comes with the project: its files, whatever its accuracy."""

import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from zipfile import ZipFile

import pandas as pd
import pytest
from kedro_project import PROJECT

from bukva.cli.released.card import write_card
from bukva.cli.released.manifest import MAX_BYTES, RELEASED, Release, read_release
from bukva.core.corpora.terms import Terms, require_releasable
from bukva.datasets.models import TrainedModelDataset
from bukva.registry.package_files import MODEL_NAME
from bukva.tasks.glyph import charset
from bukva.tasks.glyph.golden import check_golden_samples
from bukva.tasks.glyph.recogniser import Recogniser
from bukva.tasks.glyph.trained import TrainedModel


@pytest.fixture(scope="module")
def release() -> Release:
    return read_release(RELEASED)


@pytest.fixture(scope="module")
def model() -> TrainedModel:
    return TrainedModelDataset(filepath=str(RELEASED / "model.safetensors")).load()


def test_the_committed_files_are_those_of_the_manifest(release: Release) -> None:
    assert release.name == MODEL_NAME
    assert (RELEASED / "MODEL_CARD.md").read_text() == write_card(release)
    assert sum(path.stat().st_size for path in RELEASED.iterdir() if path.is_file()) <= MAX_BYTES


def test_it_answers_as_it_did_when_it_was_released(recogniser: Recogniser) -> None:
    golden = pd.read_parquet(RELEASED / "golden_samples.parquet")
    assert set(golden["true_symbol"]) >= set(charset.SYMBOLS)
    check_golden_samples(recogniser, golden)


def test_both_forms_are_one_model(
    release: Release, recogniser: Recogniser, model: TrainedModel
) -> None:
    assert recogniser.spec["weights_sha256"] == model.digest()
    assert release.weights == sum(weight.size for weight in model.weights.values())
    model.to_network()


def test_the_terms_of_what_it_learnt_from_allow_it(
    release: Release, model: TrainedModel, terms: dict[str, Terms]
) -> None:
    assert set(release.trained_on) == set(model.spec.corpora)
    assert release.trained_on.keys() == require_releasable(model.spec.corpora, terms).keys()
    assert "rukopys" in release.unseen


def test_a_wheel_brings_it(tmp_path: Path) -> None:
    # Of a copy: building leaves folders behind.
    shutil.copytree(PROJECT / "src", tmp_path / "src")
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(PROJECT / name, tmp_path)
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--quiet", "."],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    [wheel] = tmp_path.glob("*.whl")
    packed = {Path(name).name for name in ZipFile(wheel).namelist() if "bukva_released/" in name}
    assert packed == {item.name for item in files("bukva_released").iterdir() if item.is_file()}
