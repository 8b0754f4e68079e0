"""The released models in a real registry."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from document_pages import encode_as
from mlflow.artifacts import download_artifacts
from mlflow.tracking import MlflowClient
from PIL import Image
from serving_servers import tracking_restored

from bukva.cli.released.installing import Installation, install, install_reader
from bukva.cli.released.making import FinishedRun
from bukva.cli.released.manifest import RELEASED, read_release, write_manifest
from bukva.core.evaluation.edits import Edits
from bukva.errors import ParityError, ReleaseError
from bukva.registry.models import list_packaged, list_versions
from bukva.tasks.line.line_maker import LineMaker
from bukva.tasks.line.parameters import SynthesisParameters


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A registry, empty at first; the tests of this file are steps in its life."""
    path = tmp_path_factory.mktemp("registry")
    with tracking_restored():
        mlflow.set_tracking_uri(f"sqlite:///{path}/mlflow.db")
        mlflow.create_experiment("bukva", artifact_location=(path / "artifacts").as_uri())
        mlflow.set_experiment("bukva")
        yield path


@pytest.fixture(scope="module")
def installed(folder: Path, released: Path) -> Installation:
    return install(released)


def test_on_an_empty_registry_it_goes_into_production(
    installed: Installation, run: FinishedRun
) -> None:
    assert installed.is_new
    assert installed.version == installed.in_production == "1"
    tags = MlflowClient().get_model_version("bukva-glyph", "1").tags
    assert tags["released"] == "true"
    assert tags["release"] == "2026-11-21"
    assert tags["git_revision"] == "abc"
    assert tags["corpora"] == '["digits", "nonsymbols", "strokes"]'
    assert tags["trained_on"] == '["nonsymbols", "strokes"]'
    assert float(tags["digits.label_accuracy"]) == run.results["digits.label_accuracy"]


def test_it_answers_as_a_packaged_model_does(installed: Installation, released: Path) -> None:
    golden = pd.read_parquet(released / "golden_samples.parquet")
    answers = mlflow.pyfunc.load_model("models:/bukva-glyph@prod").predict(golden[["image"]])
    assert answers["symbol"].fillna("").tolist() == golden["symbol"].fillna("").tolist()
    assert golden["symbol"].nunique() > 5


def test_it_carries_its_dossier(installed: Installation, released: Path, run: FinishedRun) -> None:
    folder = Path(download_artifacts("models:/bukva-glyph@prod")) / "dossier"
    assert {path.name for path in folder.iterdir()} == {
        "card.md", "case_confusion.png", "golden_samples.json", "label_confusion.png",
        "parameters.json", "reference.json", "results.json",
    }  # fmt: skip
    assert (folder / "card.md").read_bytes() == (released / "MODEL_CARD.md").read_bytes()
    results = json.loads((folder / "results.json").read_text())
    assert results["all.label_accuracy"] == run.results["all.label_accuracy"]


def test_a_run_can_compare_with_it(installed: Installation, released: Path) -> None:
    found = list_versions("bukva-glyph")["prod"]
    assert found.onnx_model == (released / "model.onnx").read_bytes()


def test_it_is_no_candidate_for_promotion(installed: Installation) -> None:
    assert list_packaged("bukva-glyph") == []


def test_installing_again_changes_nothing(installed: Installation, released: Path) -> None:
    again = install(released)
    assert not again.is_new
    assert again.version == "1"
    assert len(MlflowClient().search_model_versions("name = 'bukva-glyph'")) == 1


def test_a_model_in_production_stays_there(installed: Installation, released: Path) -> None:
    version = mlflow.register_model("models:/bukva-glyph/1", "bukva-glyph").version
    MlflowClient().set_registered_model_alias("bukva-glyph", "prod", version)
    again = install(released)
    assert (again.version, again.in_production) == ("1", str(version))


@pytest.mark.parametrize("is_in_manifest", [False, True])
def test_a_release_that_was_tampered_with_is_not_installed(
    folder: Path, released: Path, tmp_path: Path, is_in_manifest: bool
) -> None:
    copied = Path(shutil.copytree(released, tmp_path / "copied"))
    golden = pd.read_parquet(copied / "golden_samples.parquet")
    golden.assign(confidence=0.5).to_parquet(copied / "golden_samples.parquet")
    if is_in_manifest:
        names = [path.name for path in copied.iterdir() if path.name != "manifest.json"]
        write_manifest(copied, read_release(released), names)
    before = MlflowClient().search_model_versions("name = 'bukva-glyph'")
    with pytest.raises(ParityError if is_in_manifest else ReleaseError):
        install(copied)
    assert len(MlflowClient().search_model_versions("name = 'bukva-glyph'")) == len(before)


def test_files_that_are_gone_are_made_anew_and_served_again(
    installed: Installation, released: Path
) -> None:
    """As after a move that left `mlartifacts` behind."""
    before = MlflowClient().get_model_version_by_alias("bukva-glyph", "prod").version
    for version in MlflowClient().search_model_versions("name = 'bukva-glyph'"):
        place = MlflowClient().get_model_version_download_uri("bukva-glyph", version.version)
        shutil.rmtree(place.removeprefix("file://"), ignore_errors=True)
    again = install(released)
    assert again.is_new
    assert int(again.version) > int(before)
    assert again.in_production == again.version
    why = MlflowClient().get_model_version("bukva-glyph", again.version).tags["promoted_why"]
    assert why == f"released model 2026-11-21, as the files of version {before} are gone"
    answers = mlflow.pyfunc.load_model("models:/bukva-glyph@prod")
    assert answers is not None
    assert not install(released).is_new


def test_the_model_of_lines_is_installed_and_reads(folder: Path) -> None:
    assert "Released model of lines, registered as" in install_reader("line", RELEASED / "line")
    assert "known as version 1" in install_reader("line", RELEASED / "line")
    answers = mlflow.pyfunc.load_model("models:/bukva-line@prod")
    maker = LineMaker(SynthesisParameters(strength=0, empty=0), split="test")
    lines, texts = maker.draw(8, np.random.default_rng(3))
    pages = [encode_as(Image.fromarray(255 - ink_HW)) for ink_HW in lines]
    found = answers.predict(pd.DataFrame({"image": pages}))["text"]
    assert Edits.sum(map(Edits.between, texts, found)).cer < 0.3


def test_the_model_of_documents_is_installed_beside(folder: Path) -> None:
    said = install_reader("document", RELEASED / "document")
    assert "registered as version 1; in production is version 1." in said
    assert "known as version 1" in install_reader("document", RELEASED / "document")
    found = list_versions("bukva-document")
    assert found["prod"].onnx_model == (RELEASED / "document" / "model.onnx").read_bytes()
    assert list_packaged("bukva-document") == []
    answers = mlflow.pyfunc.load_model("models:/bukva-document@prod")
    page = encode_as(Image.new("L", (300, 200), 255))
    assert answers.predict(pd.DataFrame({"image": [page]}))["label"].tolist() == ["blank"]
