"""What becomes of a packaged model in the registry: it is registered, once, and signed."""

import os
from pathlib import Path
from typing import Final

import mlflow
from mlflow.tracking import MlflowClient

from bukva.errors import RegistryError
from bukva.model_registry.models import PackagedModel, find_version
from bukva.model_registry.names import CANDIDATE_ALIAS, RECOGNISER_TAG
from bukva.model_registry.verification import verify
from bukva.seal import DIGEST_TAG, SIGNATURE_TAG, sign

SIGNING_KEY: Final = "BUKVA_SIGNING_KEY"
"""Variable of the environment that names the file of a private key."""

_REGISTRATION_S: Final = 30


def register(model: PackagedModel, name: str) -> PackagedModel:
    """Register a packaged model under a name, unless this very recogniser is; return its version.

    What was written down when it was packaged becomes the version's tags, and a signature where
    `BUKVA_SIGNING_KEY` names a private key.

    Raises:
        RegistryError: If the model is incomplete.
        SealError: If its files are not those that were sealed, or the key cannot be read.
        ParityError: If it answers its golden samples otherwise.
    """
    if known := find_same(name, model.sha256):
        return known
    verify(model, name)
    tags = {**model.tags, **_sign(model, name)}
    made = mlflow.register_model(model.uri, name, await_registration_for=_REGISTRATION_S, tags=tags)
    return require_version(name, str(made.version))


def find_same(name: str, sha256: str) -> PackagedModel | None:
    """Return the version with this very recogniser, by its digest; None if there is none."""
    same = f"name = '{name}' and tags.{RECOGNISER_TAG} = '{sha256}'"
    found = MlflowClient().search_model_versions(same)
    return find_version(name, str(found[0].version)) if found else None


def require_version(name: str, reference: str) -> PackagedModel:
    """Return the version of a number or alias.

    Raises:
        RegistryError: If there is none.
    """
    found = find_version(name, reference)
    if found is None:
        message = f"Expected a version or alias of '{name}', got '{reference}', which it has not."
        raise RegistryError(f"{message} See: python -m bukva model list")
    return found


def mark_candidate(name: str, version: str) -> None:
    """Give a version the alias `candidate`."""
    MlflowClient().set_registered_model_alias(name, CANDIDATE_ALIAS, version)


def _sign(model: PackagedModel, name: str) -> dict[str, str]:
    if not (key_file := os.environ.get(SIGNING_KEY)):
        return {}
    return {SIGNATURE_TAG: sign(name, model.tags[DIGEST_TAG], Path(key_file))}
