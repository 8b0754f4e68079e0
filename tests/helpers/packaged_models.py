"""Versions in a registry, laid out as a packaged model is: a recogniser, and code that nobody runs.

How the project itself packages is tested with really packaged models: `model/test_two_ways.py`.
"""

import json
import pickle
from pathlib import Path
from tempfile import TemporaryDirectory

from ink_network import make_ink_network
from mlflow import MlflowClient

from bukva.registry.package_files import (
    DIGEST_TAG,
    RECOGNISER_PATH,
    SIGNATURE_TAG,
    digest_folder,
    sign,
)


class Touching:
    """Makes a file when it is unpickled."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __reduce__(self):
        return (Path.touch, (Path(self._path),))


def register(
    name: str,
    experiment_id: str,
    dossier: dict[str, object] | None = None,
    canary: str | None = None,
    recogniser: bytes | None = None,
    **differences: object,
) -> str:
    """Register a version, different from a sound one in this, and give it the alias `prod`.

    It reads glyphs, unless the file of another recogniser is given.
    """
    client = MlflowClient()
    model = client.create_logged_model(experiment_id, name=name)
    with TemporaryDirectory() as folder:
        file = Path(folder) / RECOGNISER_PATH
        file.parent.mkdir()
        file.write_bytes(recogniser or make_ink_network(**differences))
        (Path(folder) / "MLmodel").write_text(f"flavors: {{python_function: {{}}}} # {name}\n")
        pickled = pickle.dumps(Touching(canary) if canary else None)
        (Path(folder) / "python_model.pkl").write_bytes(pickled)
        client.log_model_artifacts(model.model_id, folder)
    add_dossier(model.model_id, dossier or {})
    client.finalize_logged_model(model.model_id, "READY")
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name)
    source = f"models:/{model.model_id}"
    version = client.create_model_version(name, source, model_id=model.model_id).version
    client.set_registered_model_alias(name, "prod", str(version))
    return str(version)


def add_dossier(model_id: str, dossier: dict[str, object]) -> None:
    """Add files to a model: bytes as they are, all else as JSON."""
    for name, content in dossier.items():
        with TemporaryDirectory() as folder:
            path = Path(folder) / "dossier" / name
            path.parent.mkdir()
            path.write_bytes(
                content if isinstance(content, bytes) else json.dumps(content).encode()
            )
            MlflowClient().log_model_artifacts(model_id, folder)


def files_of(name: str, version: str) -> Path:
    """The folder in the store with the files of a version."""
    uri = MlflowClient().get_model_version_download_uri(name, version)
    return Path(uri.removeprefix("file://"))


def seal(name: str, version: str, key: Path | None = None) -> str:
    """Seal a version as `promotion` does, and return the digest of its files."""
    digest = digest_folder(files_of(name, version))
    client = MlflowClient()
    client.set_model_version_tag(name, version, DIGEST_TAG, digest)
    if key is not None:
        client.set_model_version_tag(name, version, SIGNATURE_TAG, sign(name, digest, key))
    return digest
