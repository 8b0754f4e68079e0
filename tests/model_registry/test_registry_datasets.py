"""The registry as Kedro datasets, in a real registry."""

from pathlib import Path
from typing import Any

import pytest
from kedro.io import DatasetError
from mlflow.artifacts import download_artifacts
from mlflow.tracking import MlflowClient
from registry_server import log_model

from bukva.datasets.registry import CandidateModelDataset, ProductionModelDataset
from bukva.errors import RegistryError

DECISION = {
    "is_known": False,
    "is_promoted": True,
    "tags": {"corpora": ["strokes"]},
    "dossier": {"card.md": b"# Card"},
}


@pytest.fixture
def name(request: pytest.FixtureRequest, registry_folder: Path) -> str:
    return f"datasets_{request.node.name}"[:60]


@pytest.fixture
def production(name: str) -> ProductionModelDataset:
    return ProductionModelDataset(model_name=name, alias="prod")


def versions(name: str) -> list[str]:
    found = MlflowClient().search_model_versions(f"name = '{name}'")
    return sorted(str(item.version) for item in found)


def test_a_promoting_decision_registers_and_promotes(
    name: str, production: Any, registry_folder: Path
) -> None:
    log_model(registry_folder, name, b"first")
    assert production.load() is None
    production.save(DECISION)
    loaded = production.load()
    assert loaded.onnx_model == b"first"
    assert loaded.tags["corpora"] == '["strokes"]'
    folder = Path(download_artifacts(f"models:/{name}@prod"))
    assert (folder / "dossier" / "card.md").read_text() == "# Card"


def test_a_decision_against_it_registers_only(
    name: str, production: Any, registry_folder: Path
) -> None:
    log_model(registry_folder, name, b"first")
    production.save(DECISION | {"is_promoted": False})
    assert versions(name) == ["1"]
    assert production.load() is None


def test_a_known_model_changes_nothing(name: str, production: Any, registry_folder: Path) -> None:
    log_model(registry_folder, name, b"first")
    production.save(DECISION | {"is_known": True})
    assert versions(name) == []


def test_the_candidate_is_read_only(name: str, registry_folder: Path) -> None:
    candidate = CandidateModelDataset(model_name=name)
    log_model(registry_folder, name, b"first")
    assert candidate.load().onnx_model == b"first"
    with pytest.raises(DatasetError, match="run the pipeline packaging"):
        candidate.save(b"another")


def test_a_missing_candidate_names_the_command(name: str) -> None:
    with pytest.raises(DatasetError) as caught:
        CandidateModelDataset(model_name=name).load()
    assert isinstance(caught.value.__cause__, RegistryError)
    assert "kedro run --pipeline=packaging" in str(caught.value.__cause__)
