"""What is logged and what is registered, in a real registry."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient
from registry_server import files_of, log_model, variant

from bukva.errors import RegistryError
from bukva.registry.models import find_version, list_packaged, list_versions


def test_nothing_is_there_at_first(name: str) -> None:
    assert list_packaged(name) == []
    assert list_versions(name) == {}
    assert find_version(name, "prod") is None
    assert find_version(name, "1") is None


def test_packaged_models_are_listed_the_last_first(
    name: str, registry_folder: Path, random_onnx: bytes
) -> None:
    first = log_model(registry_folder, name, random_onnx, metrics={"accuracy": 0.5})
    log_model(registry_folder, f"{name}_other", random_onnx)
    last = log_model(registry_folder, name, variant(random_onnx, "last"), network="glyph_cnn")
    found = list_packaged(name)
    assert [model.uri for model in found] == [f"models:/{last}", f"models:/{first}"]
    assert found[1].metrics == {"accuracy": 0.5}
    assert found[0].tags["network"] == "glyph_cnn"
    assert found[0].origin is not None
    assert (found[0].origin.status, found[0].origin.experiment) == ("FINISHED", "bukva")
    assert found[0].made_ms > found[1].made_ms


def test_a_recogniser_is_read_when_it_is_asked_for(
    name: str, registry_folder: Path, random_onnx: bytes
) -> None:
    model_id = log_model(registry_folder, name, random_onnx)
    [model], [gone] = list_packaged(name), list_packaged(name)
    assert model.onnx_model == random_onnx
    shutil.rmtree(files_of(registry_folder, model_id))
    assert model.onnx_model == random_onnx  # as it was read
    assert gone.sha256 == model.sha256  # as it was written down
    with pytest.raises(RegistryError, match=r"recogniser\.onnx") as caught:
        _ = gone.onnx_model
    assert str(files_of(registry_folder, model_id)) in str(caught.value)


def test_versions_are_found_by_number_and_alias(
    name: str, versions: Callable[[int], list[str]]
) -> None:
    assert versions(2) == ["1", "2"]
    MlflowClient().set_registered_model_alias(name, "prod", "1")
    found = list_versions(name)
    assert found.keys() == {"1", "2", "prod"}
    assert found["prod"] is found["1"]
    assert found["2"].version == "2"
    by_alias = find_version(name, "prod")
    assert by_alias is not None
    assert by_alias.version == "1"
    assert by_alias.onnx_model == found["1"].onnx_model
