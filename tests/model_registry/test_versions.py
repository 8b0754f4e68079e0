"""What is logged, registered and in production, in a real registry."""

import shutil
from pathlib import Path

import pytest
from mlflow.artifacts import download_artifacts
from mlflow.tracking import MlflowClient
from registry_server import log_model

from bukva.errors import RegistryError, SealError
from bukva.model_registry import registry
from bukva.seal import check_signature, digest_folder
from signing_keys import make_keys


@pytest.fixture
def name(request: pytest.FixtureRequest, registry_folder: Path) -> str:
    """A model's name of the test's own: all tests share one registry."""
    return str(request.node.name).removeprefix("test_")[:60]


def artifacts_of(folder: Path, model_id: str) -> Path:
    return folder / "artifacts" / "models" / model_id / "artifacts"


def test_without_a_packaged_model_the_message_says_what_to_run(name: str) -> None:
    with pytest.raises(RegistryError, match="kedro run --pipeline=packaging") as caught:
        registry.find_candidate(name)
    assert name in str(caught.value)


def test_nothing_is_in_production_at_first(name: str, registry_folder: Path) -> None:
    assert registry.find_production(name, "prod") is None
    log_model(registry_folder, name, b"first")
    registry.register(registry.find_candidate(name), name, {})
    assert registry.find_production(name, "prod") is None


def test_the_candidate_is_the_model_packaged_last(name: str, registry_folder: Path) -> None:
    log_model(registry_folder, name, b"first")
    log_model(registry_folder, f"{name}_other", b"of another name")
    last = log_model(registry_folder, name, b"second")
    candidate = registry.find_candidate(name)
    assert candidate.uri == f"models:/{last}"
    assert candidate.onnx_model == b"second"


def test_an_incomplete_candidate_is_refused(name: str, registry_folder: Path) -> None:
    model_id = log_model(registry_folder, name, b"first")
    (artifacts_of(registry_folder, model_id) / "artifacts" / "recogniser.onnx").unlink()
    with pytest.raises(RegistryError, match=r"recogniser\.onnx") as caught:
        registry.find_candidate(name)
    assert "Package the model again" in str(caught.value)


def test_an_incomplete_version_in_production_is_noticed(name: str, registry_folder: Path) -> None:
    model_id = log_model(registry_folder, name, b"first")
    version = registry.register(registry.find_candidate(name), name, {})
    registry.move_alias(name, "prod", version)
    shutil.rmtree(artifacts_of(registry_folder, model_id))
    with pytest.raises(RegistryError, match=r"recogniser\.onnx"):
        registry.find_production(name, "prod")


def test_a_version_carries_its_tags(name: str, registry_folder: Path) -> None:
    log_model(registry_folder, name, b"first")
    candidate = registry.find_candidate(name)
    tags = {"corpora": ["rukopys"], "data_fingerprint": "abc", "all.label_accuracy": 0.95}
    version = registry.register(candidate, name, tags)
    registry.move_alias(name, "prod", version)
    found = registry.find_production(name, "prod")
    assert found is not None
    assert found.version == version == "1"
    assert found.sha256 == candidate.sha256
    assert len(found.tags.pop("files_sha256")) == 64
    assert found.tags == {
        "git_revision": registry.git_revision(),
        "recogniser_sha256": candidate.sha256,
        "corpora": '["rukopys"]',
        "data_fingerprint": "abc",
        "all.label_accuracy": "0.95",
    }


def download(name: str, version: str, folder: Path) -> Path:
    uri = MlflowClient().get_model_version_download_uri(name, version)
    return Path(download_artifacts(uri, dst_path=str(folder)))


def test_a_version_is_sealed_with_its_dossier(
    name: str, registry_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private, public = make_keys(tmp_path)
    monkeypatch.setenv("BUKVA_SIGNING_KEY", str(private))
    log_model(registry_folder, name, b"first")
    version = registry.register(registry.find_candidate(name), name, {}, {"card.md": b"# Card"})
    tags = MlflowClient().get_model_version(name, version).tags
    files = download(name, version, tmp_path / "downloaded")
    assert (files / "dossier" / "card.md").read_bytes() == b"# Card"
    assert tags["files_sha256"] == digest_folder(files)
    check_signature(name, tags["files_sha256"], tags["files_signature"], public)
    (files / "MLmodel").write_text("another")
    assert tags["files_sha256"] != digest_folder(files)


def test_a_missing_key_registers_nothing(
    name: str, registry_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUKVA_SIGNING_KEY", str(tmp_path / "nowhere.pem"))
    log_model(registry_folder, name, b"first")
    with pytest.raises(SealError, match=r"nowhere\.pem"):
        registry.register(registry.find_candidate(name), name, {})
    assert MlflowClient().search_model_versions(f"name = '{name}'") == []


def test_the_same_recogniser_is_registered_once(name: str, registry_folder: Path) -> None:
    """A job that is run again packages it again, as another logged model."""
    for _ in range(2):
        log_model(registry_folder, name, b"same")
        assert registry.register(registry.find_candidate(name), name, {}) == "1"
    log_model(registry_folder, name, b"different")
    assert registry.register(registry.find_candidate(name), name, {}) == "2"


def test_the_version_that_an_alias_leaves_becomes_previous(
    name: str, registry_folder: Path
) -> None:
    for content in (b"first", b"second"):
        log_model(registry_folder, name, content)
        version = registry.register(registry.find_candidate(name), name, {})
        registry.move_alias(name, "prod", version)
    assert aliases(name) == {"prod": "2", "previous": "1"}
    # To where it is: nothing changes.
    registry.move_alias(name, "prod", "2")
    assert aliases(name) == {"prod": "2", "previous": "1"}
    # Back again.
    registry.move_alias(name, "prod", "1")
    assert aliases(name) == {"prod": "1", "previous": "2"}


def aliases(name: str) -> dict[str, str]:
    found = MlflowClient().get_registered_model(name).aliases
    return {alias: str(version) for alias, version in found.items()}


def test_an_alias_that_does_not_read_back_is_an_error(
    name: str, registry_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for content in (b"first", b"second"):
        log_model(registry_folder, name, content)
        registry.register(registry.find_candidate(name), name, {})
    set_alias = MlflowClient.set_registered_model_alias

    def set_and_lose(client: MlflowClient, model: str, alias: str, version: str) -> None:
        """Somebody else promotes version 2 between our write and our look."""
        set_alias(client, model, alias, version)
        set_alias(client, model, alias, "2")

    monkeypatch.setattr(MlflowClient, "set_registered_model_alias", set_and_lose)
    with pytest.raises(RegistryError, match="to be version 1, it is 2"):
        registry.move_alias(name, "prod", "1")


def test_the_revision_is_a_commit() -> None:
    assert len(registry.git_revision().rstrip("+")) == 40
