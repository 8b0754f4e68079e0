"""Whether a model in MLflow is whole: all files, those that were sealed, and the right answers."""

import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bukva.dossier import FOLDER, GOLDEN
from bukva.errors import RegistryError, SealError
from bukva.inference.golden import check_golden_samples, read_golden
from bukva.inference.recogniser import Recogniser
from bukva.model_registry.models import PackagedModel, download
from bukva.model_registry.names import RECOGNISER_PATH
from bukva.seal import DIGEST_TAG, SIGNATURE_TAG, check_signature, digest_folder

TRUSTED_KEYS: Final = "BUKVA_TRUSTED_KEYS"
"""Variable of the environment that names the file of the public keys that are trusted."""


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
        check_golden_samples(
            Recogniser((files / RECOGNISER_PATH).read_bytes()),
            read_golden((files / FOLDER / GOLDEN).read_bytes()),
        )


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
