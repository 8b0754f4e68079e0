"""The registry as Kedro datasets, in a real registry."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import mlflow
import pytest
from kedro.io import DatasetError
from mlflow.artifacts import download_artifacts
from mlflow.tracking import MlflowClient
from registry_server import log_model, variant

from bukva.datasets.files import RecogniserDataset
from bukva.datasets.registry import (
    AnsweringModelDataset,
    PackagedModelsDataset,
    RegisteredModelsDataset,
    RegistrationDataset,
)
from bukva.errors import PromotionConflictError, SealError
from bukva.registry.models import list_packaged
from bukva.registry.package_files import digest_folder
from bukva.registry.packaging import Package
from bukva.registry.registry import Registration
from bukva.tasks.glyph.recogniser import Recogniser

INFERENCE = "bukva.pipelines.inference.pipeline.create_pipeline"


@pytest.fixture
def registration(name: str) -> Any:
    return RegistrationDataset(model_name=name)


def order(name: str, *, is_promoted: bool, production_version: str = "") -> Registration:
    """What is decided about the model that was packaged last."""
    return Registration(list_packaged(name)[0], is_promoted, production_version, "because")


def aliases(name: str) -> dict[str, str]:
    found = MlflowClient().get_registered_model(name).aliases
    return {alias: str(version) for alias, version in found.items()}


def test_a_package_is_logged_and_sealed_with_all_that_is_known_of_it(
    name: str, registry_folder: Path, random_recogniser: Recogniser, tmp_path: Path
) -> None:
    dataset = PackagedModelsDataset(model_name=name, inference=INFERENCE)
    dossier, tags = {"card.md": b"# Card"}, {"corpora": ["strokes"], "accuracy": 0.5}
    with mlflow.start_run() as run:
        dataset.save(Package(random_recogniser, dossier, tags, {"accuracy": 0.5}))
    [model] = dataset.load()
    assert model.onnx_model == random_recogniser.onnx_model
    assert model.origin is not None
    assert model.origin.run_id == run.info.run_id
    assert model.metrics == {"accuracy": 0.5}
    assert model.tags["corpora"] == '["strokes"]'
    assert model.tags["recogniser_sha256"] == random_recogniser.sha256
    files = Path(download_artifacts(model.uri, dst_path=str(tmp_path)))
    assert (files / "dossier" / "card.md").read_text() == "# Card"
    assert model.tags["files_sha256"] == digest_folder(files)


def test_a_package_of_no_run_is_logged_all_the_same(
    name: str, registry_folder: Path, random_recogniser: Recogniser
) -> None:
    dataset = PackagedModelsDataset(model_name=name, inference=INFERENCE)
    dataset.save(Package(random_recogniser, {}, {}, {"accuracy": 0.5}))
    assert dataset.load()[0].origin is None


def test_a_promoting_decision_registers_and_promotes(
    name: str, registration: Any, registry_folder: Path, random_onnx: bytes
) -> None:
    versions: Any = RegisteredModelsDataset(model_name=name)
    log_model(registry_folder, name, random_onnx)
    assert versions.load() == {}
    registration.save(order(name, is_promoted=True))
    assert aliases(name) == {"prod": "1"}
    assert versions.load()["prod"].onnx_model == random_onnx
    # A version that is there already is promoted without being registered again.
    log_model(registry_folder, name, variant(random_onnx, "second"))
    registration.save(order(name, is_promoted=False, production_version="1"))
    known = versions.load()["2"]
    registration.save(Registration(known, True, "1", "better after all"))
    assert aliases(name) == {"prod": "2", "previous": "1"}
    assert versions.load().keys() == {"1", "2", "prod", "previous"}


def test_a_decision_against_it_makes_a_candidate(
    name: str, registration: Any, registry_folder: Path, random_onnx: bytes
) -> None:
    log_model(registry_folder, name, random_onnx)
    registration.save(order(name, is_promoted=False))
    assert aliases(name) == {"candidate": "1"}


def test_the_model_in_production_is_no_candidate(
    name: str, registration: Any, registry_folder: Path, random_onnx: bytes
) -> None:
    """The job was run again and made the same."""
    log_model(registry_folder, name, random_onnx)
    registration.save(order(name, is_promoted=True))
    log_model(registry_folder, name, random_onnx)
    registration.save(order(name, is_promoted=False, production_version="1"))
    assert aliases(name) == {"prod": "1"}


def test_a_decision_about_another_production_is_not_carried_out(
    name: str, registration: Any, registry_folder: Path, random_onnx: bytes
) -> None:
    log_model(registry_folder, name, random_onnx)
    late = order(name, is_promoted=True)
    registration.save(late)
    log_model(registry_folder, name, variant(random_onnx, "second"))
    with pytest.raises(DatasetError) as caught:
        registration.save(replace(late, model=list_packaged(name)[0]))
    assert isinstance(caught.value.__cause__, PromotionConflictError)
    assert aliases(name) == {"prod": "1"}


def test_what_only_reads_or_writes_says_so(name: str) -> None:
    with pytest.raises(DatasetError, match="run the pipeline promotion"):
        RegisteredModelsDataset(model_name=name).save({})
    with pytest.raises(DatasetError, match="load registered_models"):
        RegistrationDataset(model_name=name).load()


def test_what_answers_is_a_version_an_alias_or_the_file_of_this_machine(
    name: str, registration: Any, registry_folder: Path, random_onnx: bytes, tmp_path: Path
) -> None:
    log_model(registry_folder, name, random_onnx)
    registration.save(order(name, is_promoted=True))
    path = str(tmp_path / "recogniser.onnx")
    RecogniserDataset(filepath=path).save(Recogniser(variant(random_onnx, "local")))

    def load(reference: str | int) -> Any:
        return AnsweringModelDataset(model_name=name, reference=reference, filepath=path).load()

    assert [load(reference).version for reference in ("prod", "1", 1)] == ["1", "1", "1"]
    assert load("prod").recogniser.onnx_model == random_onnx
    assert load("local").version == ""
    assert load("local").recogniser.onnx_model != random_onnx
    with pytest.raises(DatasetError, match="'candidate', which it has not"):
        load("candidate")


def test_a_model_with_other_files_than_those_sealed_does_not_answer(
    name: str, registration: Any, registry_folder: Path, random_onnx: bytes
) -> None:
    log_model(registry_folder, name, random_onnx)
    registration.save(order(name, is_promoted=True))
    MlflowClient().set_model_version_tag(name, "1", "files_sha256", "0" * 64)
    with pytest.raises(DatasetError) as caught:
        AnsweringModelDataset(model_name=name, reference="prod", filepath="none").load()
    assert isinstance(caught.value.__cause__, SealError)
