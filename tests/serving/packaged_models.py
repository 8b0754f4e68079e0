"""Versions of the ink model in a registry."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import mlflow
from mlflow import MlflowClient
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, Schema

from bukva.seal import DIGEST_TAG, SIGNATURE_TAG, digest_folder, sign

MODEL_CODE = Path(__file__).with_name("ink_model.py")
SOUND = {
    "delay_s": 0.0,
    "raises_at_width_px": 0,
    "hangs_at_width_px": 0,
    "hangs_s": 60.0,
    "confidence": None,
    "canary": None,
    # What it answers beside where it is asked to explain; nothing, and it cannot be asked.
    "map": {
        "grad_cam": [[0.0, 1.5], [3.0, 0.75]],
        "frame_box": {"left": -0.1, "top": 0.1, "width": 1.2, "height": 0.8},
    },
}


def register(
    name: str, experiment_id: str, dossier: dict[str, object] | None = None, **differences: object
) -> str:
    """Register a version, different from a sound one in this, and give it the alias `prod`."""
    settings = SOUND | differences
    with mlflow.start_run(experiment_id=experiment_id):
        info = mlflow.pyfunc.log_model(
            name=name,
            python_model=MODEL_CODE,
            signature=ModelSignature(inputs=Schema(_columns(settings))),
            model_config=settings,
            pip_requirements=["mlflow", "pillow"],
            registered_model_name=name,
        )
    add_dossier(info.model_id, dossier or {})
    version = str(info.registered_model_version)
    MlflowClient().set_registered_model_alias(name, "prod", version)
    return version


def _columns(settings: dict[str, object]) -> list[ColSpec]:
    explain = [ColSpec("boolean", "explain", required=False)] if settings["map"] else []
    return [ColSpec("binary", "image"), *explain]


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
