"""What is logged, registered and in production."""

import hashlib
import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import mlflow
from mlflow.artifacts import download_artifacts
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from bukva.dossier import FOLDER
from bukva.errors import RegistryError
from bukva.seal import DIGEST_TAG, SIGNATURE_TAG, digest_folder, sign

PRODUCTION_ALIAS: Final = "prod"
PREVIOUS_ALIAS: Final = "previous"
SIGNING_KEY: Final = "BUKVA_SIGNING_KEY"
"""Variable of the environment that names the file of a private key."""
RECOGNISER_FILE: Final = "recogniser.onnx"
"""How the file of a recogniser is called where it is logged, and looked for."""
_RECOGNISER_PATH: Final = f"artifacts/{RECOGNISER_FILE}"


@dataclass(frozen=True)
class PackagedModel:
    """A logged or registered model.

    Attributes:
        uri: Where MLflow finds it.
        version: Its number in the registry, empty while it is only logged.
        onnx_model: The bytes of its recogniser.
        tags: What was written down when it was registered.
    """

    uri: str
    version: str
    onnx_model: bytes
    tags: dict[str, str]

    @property
    def sha256(self) -> str:
        """Digest of the recogniser."""
        return hashlib.sha256(self.onnx_model).hexdigest()


def find_candidate(name: str) -> PackagedModel:
    """Return the model of this name that was logged last.

    Raises:
        RegistryError: If none was logged, or it is incomplete.
    """
    experiments = [item.experiment_id for item in mlflow.search_experiments()]
    found = mlflow.search_logged_models(
        experiment_ids=experiments,
        filter_string=f"name = '{name}'",
        order_by=[{"field_name": "creation_timestamp", "ascending": False}],
        max_results=1,
        output_format="list",
    )
    if not found:
        message = (
            f"Expected a logged model '{name}', found none. Run: kedro run --pipeline=packaging"
        )
        raise RegistryError(message)
    uri = f"models:/{found[0].model_id}"
    return PackagedModel(uri, "", _read_recogniser(found[0].artifact_location), {})


def find_production(name: str, alias: str) -> PackagedModel | None:
    """Return the version that carries an alias, None if no version does.

    Raises:
        RegistryError: If it is incomplete.
    """
    version = find_version(name, alias)
    if version is None:
        return None
    uri = f"models:/{name}/{version.version}"
    return PackagedModel(uri, str(version.version), _read_recogniser(uri), dict(version.tags))


def register(
    candidate: PackagedModel,
    name: str,
    tags: Mapping[str, Any],
    dossier: Mapping[str, bytes] | None = None,
) -> str:
    """Register a logged model under a name unless this very recogniser is, return its version.

    Its files are sealed: their digest stands in the version's tags, and a signature where
    `BUKVA_SIGNING_KEY` names a private key.

    Args:
        candidate: What is registered.
        name: Under which.
        tags: What is written down beside it.
        dossier: Files that are added to the model, by name: `bukva.dossier`.

    Raises:
        SealError: If the key cannot be read.
        RegistryError: If the files cannot be read back.
    """
    if known := find_same(name, candidate.sha256):
        return str(known.version)
    _add_dossier(candidate, dossier or {})
    seal = _seal(candidate, name)
    version = mlflow.register_model(candidate.uri, name, await_registration_for=30)
    described = {"git_revision": git_revision(), "recogniser_sha256": candidate.sha256, **seal}
    for key, value in {**described, **tags}.items():
        MlflowClient().set_model_version_tag(name, version.version, key, _to_tag(value))
    return str(version.version)


def find_version(name: str, alias: str) -> ModelVersion | None:
    """Return the version that carries an alias, None if no version does; reads none of its files.

    Raises:
        RegistryError: If the registry does not answer.
    """
    try:
        return MlflowClient().get_model_version_by_alias(name, alias)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise RegistryError(f"Expected MLflow to name '{name}@{alias}', got: {error}") from error


def find_same(name: str, sha256: str) -> ModelVersion | None:
    """Return the version with this very recogniser, by its digest; None if there is none."""
    same = f"name = '{name}' and tags.recogniser_sha256 = '{sha256}'"
    found = MlflowClient().search_model_versions(same)
    return found[0] if found else None


def move_alias(name: str, alias: str, version: str) -> None:
    """Point an alias at a version; the version it leaves becomes `previous`.

    Raises:
        RegistryError: If the alias does not read back as it was set.
    """
    client = MlflowClient()
    former = find_version(name, alias)
    if former and str(former.version) != version:
        client.set_registered_model_alias(name, PREVIOUS_ALIAS, former.version)
    client.set_registered_model_alias(name, alias, version)
    found = str(client.get_model_version_by_alias(name, alias).version)
    if found != version:
        message = f"Expected '{name}@{alias}' to be version {version}, it is {found}: somebody else"
        raise RegistryError(f"{message} promoted at the same time. Look at the registry first.")


def git_revision() -> str:
    """Return the commit that the project stands at, with a + where files differ from it."""
    described = subprocess.run(
        ["git", "describe", "--always", "--abbrev=40", "--dirty=+"],  # noqa: S607 - git of the PATH
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parent,
    )
    return described.stdout.strip() or "unknown"


def _add_dossier(candidate: PackagedModel, dossier: Mapping[str, bytes]) -> None:
    if not dossier:
        return
    with TemporaryDirectory() as folder:
        place = Path(folder) / FOLDER
        place.mkdir()
        for name, content in dossier.items():
            (place / name).write_bytes(content)
        MlflowClient().log_model_artifacts(candidate.uri.removeprefix("models:/"), folder)


def _seal(candidate: PackagedModel, name: str) -> dict[str, str]:
    """Return the tags that say which files the model has, and who says so."""
    try:
        with TemporaryDirectory() as folder:
            digest = digest_folder(Path(download_artifacts(candidate.uri, dst_path=folder)))
    except (MlflowException, OSError) as error:
        raise RegistryError(f"Expected the files of {candidate.uri}, got: {error}") from error
    if not (key_file := os.environ.get(SIGNING_KEY)):
        return {DIGEST_TAG: digest}
    return {DIGEST_TAG: digest, SIGNATURE_TAG: sign(name, digest, Path(key_file))}


def _read_recogniser(uri: str) -> bytes:
    try:
        with TemporaryDirectory() as folder:
            path = download_artifacts(f"{uri}/{_RECOGNISER_PATH}", dst_path=folder)
            return Path(path).read_bytes()
    except (MlflowException, OSError) as error:
        message = f"Expected {_RECOGNISER_PATH} in {uri}, but it cannot be read: {error}."
        raise RegistryError(f"{message} Package the model again.") from error


def _to_tag(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
