"""What becomes of a packaged model in the registry: it is verified, registered once, and signed."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import mlflow
from mlflow.tracking import MlflowClient

from bukva.errors import RegistryError, SealError
from bukva.registry.models import PackagedModel, download, find_version, has_files
from bukva.registry.package_files import (
    DIGEST_TAG,
    FOLDER,
    GOLDEN,
    RECOGNISER_PATH,
    RECOGNISER_TAG,
    SIGNATURE_TAG,
    check_signature,
    digest_folder,
    sign,
)
from bukva.tasks.table import load_recogniser

SIGNING_KEY: Final = "BUKVA_SIGNING_KEY"
"""Variable of the environment that names the file of a private key."""

TRUSTED_KEYS: Final = "BUKVA_TRUSTED_KEYS"
"""Variable of the environment that names the file of the public keys that are trusted."""

_REGISTRATION_S: Final = 30


@dataclass(frozen=True)
class Registration:
    """An order to the registry.

    Attributes:
        model: What is registered, if it is not yet.
        is_promoted: Whether it is put into production then.
        production_version: The version that was in production when this was decided, empty if none
            was: promotion is refused if it is another one by now.
        reason: Why, for the log of promotions.
    """

    model: PackagedModel
    is_promoted: bool
    production_version: str
    reason: str


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
    tags = dict(model.tags)
    if key_file := os.environ.get(SIGNING_KEY):
        tags[SIGNATURE_TAG] = sign(name, tags[DIGEST_TAG], Path(key_file))
    made = mlflow.register_model(model.uri, name, await_registration_for=_REGISTRATION_S, tags=tags)
    return require_version(name, str(made.version))


def find_same(name: str, sha256: str) -> PackagedModel | None:
    """Return the last version with this very recogniser, by its digest, whose files are there."""
    same = f"name = '{name}' and tags.{RECOGNISER_TAG} = '{sha256}'"
    found = MlflowClient().search_model_versions(same)
    known = (require_version(name, str(item.version)) for item in found)
    return next(filter(has_files, known), None)


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


def verify(model: PackagedModel, name: str) -> None:
    """Return if a model may serve: its files are those that were sealed, and answer as they did.

    Args:
        model: What is looked at.
        name: Of the registered model, for which a version must be signed where
            `BUKVA_TRUSTED_KEYS` names public keys.

    Raises:
        RegistryError: If it was never sealed, or files are missing.
        SealError: If its files are others, or nobody trusted signed them.
        ParityError: If it answers its golden samples otherwise.
    """
    check_files(model.uri, model.tags)
    _check_signature(model, name)


def check_files(uri: str, tags: Mapping[str, str]) -> None:
    """Return if the files of a model are those that were sealed, and answer as they did.

    Raises:
        RegistryError: If it was never sealed, or files are missing.
        SealError: If its files are others.
        ParityError: If it answers its golden samples otherwise.
    """
    with TemporaryDirectory() as folder:
        files = download(uri, Path(folder))
        _check_digest(uri, tags.get(DIGEST_TAG), digest_folder(files))
        task, recogniser = load_recogniser((files / RECOGNISER_PATH).read_bytes())
        task.check_golden(recogniser, (files / FOLDER / GOLDEN).read_bytes())


def _check_digest(uri: str, sealed: str | None, digest: str) -> None:
    if sealed is None:
        message = f"Expected the tag {DIGEST_TAG} at {uri}, found none: it is incomplete, or"
        raise RegistryError(f"{message} of an older project. Run: kedro run --pipeline=packaging")
    if sealed != digest:
        message = f"Expected files with the digest {sealed[:12]} in {uri}, got {digest[:12]}:"
        raise SealError(f"{message} some are missing or were changed. Package the model again.")


def _check_signature(model: PackagedModel, name: str) -> None:
    keys_file = os.environ.get(TRUSTED_KEYS)
    if keys_file is None or not model.version:
        return
    if SIGNATURE_TAG not in model.tags:
        message = f"Expected a signature at {model.uri}, as {TRUSTED_KEYS} is set, found none."
        raise SealError(f"{message} Register it where BUKVA_SIGNING_KEY names a private key.")
    signature, digest = model.tags[SIGNATURE_TAG], model.tags[DIGEST_TAG]
    check_signature(name, digest, signature, Path(keys_file))
