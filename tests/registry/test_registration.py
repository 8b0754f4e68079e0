"""From a packaged model to a registered version: only what is whole, once, and signed."""

from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient
from registry_server import files_of, log_model, seal, variant
from signing_keys import make_keys

from bukva.errors import BukvaError, ParityError, RegistryError, SealError
from bukva.registry.models import list_packaged
from bukva.registry.package_files import check_signature
from bukva.registry.registry import find_same, register, require_version, verify


def register_last(name: str) -> str:
    return register(list_packaged(name)[0], name).version


def versions_of(name: str) -> int:
    return len(MlflowClient().search_model_versions(f"name = '{name}'"))


def test_a_version_carries_what_was_written_down(
    name: str, registry_folder: Path, random_onnx: bytes
) -> None:
    log_model(registry_folder, name, random_onnx, corpora='["rukopys"]')
    [packaged] = list_packaged(name)
    registered = register(packaged, name)
    assert registered.version == "1"
    assert dict(registered.tags) == dict(packaged.tags)
    assert registered.tags["corpora"] == '["rukopys"]'
    assert registered.sha256 == packaged.sha256


def test_the_same_recogniser_is_registered_once(
    name: str, registry_folder: Path, random_onnx: bytes
) -> None:
    """A job that is run again packages it again, as another logged model."""
    for _ in range(2):
        log_model(registry_folder, name, random_onnx)
        assert register_last(name) == "1"
    log_model(registry_folder, name, variant(random_onnx, "different"))
    assert register_last(name) == "2"
    same = find_same(name, list_packaged(name)[0].sha256)
    assert same is not None
    assert same.version == "2"


def test_a_version_is_signed(
    name: str,
    registry_folder: Path,
    random_onnx: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    private, public = make_keys(tmp_path)
    monkeypatch.setenv("BUKVA_SIGNING_KEY", str(private))
    log_model(registry_folder, name, random_onnx)
    tags = register(list_packaged(name)[0], name).tags
    check_signature(name, tags["files_sha256"], tags["files_signature"], public)


def test_a_missing_key_registers_nothing(
    name: str,
    registry_folder: Path,
    random_onnx: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BUKVA_SIGNING_KEY", str(tmp_path / "nowhere.pem"))
    log_model(registry_folder, name, random_onnx)
    with pytest.raises(SealError, match=r"nowhere\.pem"):
        register_last(name)
    assert versions_of(name) == 0


def _remove_recogniser(files: Path) -> None:
    (files / "artifacts" / "recogniser.onnx").unlink()


def _change_code(files: Path) -> None:
    (files / "MLmodel").write_text("another")


@pytest.mark.parametrize("damage", [_remove_recogniser, _change_code])
def test_a_damaged_model_is_not_registered(
    name: str, registry_folder: Path, random_onnx: bytes, damage: Callable[[Path], None]
) -> None:
    model_id = log_model(registry_folder, name, random_onnx)
    damage(files_of(registry_folder, model_id))
    with pytest.raises(SealError, match="missing or were changed"):
        register_last(name)
    assert versions_of(name) == 0


def test_an_interrupted_packaging_is_not_registered(
    name: str, registry_folder: Path, random_onnx: bytes
) -> None:
    log_model(registry_folder, name, random_onnx, is_sealed=False)
    with pytest.raises(RegistryError, match="incomplete") as caught:
        register_last(name)
    assert "kedro run --pipeline=packaging" in str(caught.value)
    assert versions_of(name) == 0


def test_a_model_that_answers_otherwise_is_not_registered(
    name: str, registry_folder: Path, random_onnx: bytes
) -> None:
    def wrong(folder: Path) -> None:
        path = folder / "dossier" / "golden_samples.json"
        path.write_text(path.read_text().replace('"symbol": "', '"symbol": "не '))

    model_id = log_model(registry_folder, name, random_onnx, is_sealed=False)
    wrong(files_of(registry_folder, model_id))
    seal(model_id)
    with pytest.raises(ParityError, match="golden samples"):
        register_last(name)
    assert versions_of(name) == 0


def test_only_what_somebody_trusted_signed_may_serve(
    name: str,
    versions: Callable[[int], list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    private, public = make_keys(tmp_path)
    _, others = make_keys(tmp_path, "others")
    versions(1)  # while there is no key
    monkeypatch.setenv("BUKVA_SIGNING_KEY", str(private))
    MlflowClient().delete_model_version(name, "1")
    assert register_last(name) == "2"
    for keys, expected in ((public, None), (others, SealError)):
        monkeypatch.setenv("BUKVA_TRUSTED_KEYS", str(keys))
        assert fault_of(name, "2") is expected
    monkeypatch.delenv("BUKVA_SIGNING_KEY")
    MlflowClient().delete_model_version(name, "2")
    assert register_last(name) == "3"
    assert fault_of(name, "3") is SealError


def fault_of(name: str, version: str) -> type[BukvaError] | None:
    try:
        verify(require_version(name, version), name)
    except BukvaError as error:
        return type(error)
    return None


def test_a_version_that_is_not_there_is_named(name: str, registry_folder: Path) -> None:
    with pytest.raises(RegistryError, match="got '7', which it has not") as caught:
        require_version(name, "7")
    assert "bukva model list" in str(caught.value)
