"""How the inference pipeline is logged as a pyfunc, with its dossier, and sealed."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import mlflow
from kedro.io import AbstractDataset, DataCatalog
from kedro.pipeline import Pipeline
from mlflow.models import ModelSignature
from mlflow.tracking import MlflowClient
from mlflow.types import Schema

import bukva
from bukva.core.predictor import OnnxModel
from bukva.core.schema import to_mlflow_json
from bukva.core.task import Task
from bukva.errors import TrackingUnreachableError
from bukva.registry.lean_runner import PackagedPipeline, SequentialRunner
from bukva.registry.models import download, to_tag
from bukva.registry.package_files import DIGEST_TAG, FOLDER, RECOGNISER_TAG, digest_folder
from bukva.registry.revision import git_revision
from bukva.registry.runs import active_run
from bukva.registry.tracking import check_tracking
from bukva.tasks.table import find_task

# A model, unlike a number, cannot wait in a journal.
_PATIENCE_S: Final = 60.0
_ADVICE: Final = (
    "The model is trained, and not logged as a whole: what is there of it has no seal and is never "
    "promoted. Once MLflow answers: kedro run --pipeline=packaging (in the same environment)."
)

_REQUIRED: Final = (
    "cloudpickle", "fsspec", "kedro", "kedro-mlflow", "kedro-datasets", "mlflow", "numpy",
    "onnxruntime", "opencv-python-headless", "pandas", "pillow", "pydantic", "scipy",
)  # fmt: skip

LOG_MODEL_ARGUMENTS: Final[dict[str, Any]] = {
    # The pipeline refers to our functions by name: they travel with the model.
    "code_paths": [str(Path(bukva.__file__).parent)],
    "pip_requirements": [f"{name}=={version(name)}" for name in _REQUIRED],
}


def signature_of(task: Task) -> ModelSignature:
    """Return the signature of a packaged model.

    Not the automatic one: that opens a `runner` parameter, through which a caller can have anything
    imported.
    """
    inputs, outputs = (to_mlflow_json(model) for model in (task.question, task.answer))
    return ModelSignature(Schema.from_json(inputs), Schema.from_json(outputs))


@dataclass(frozen=True)
class Package:
    """What is packaged.

    Attributes:
        recogniser: What answers.
        dossier: Files that travel with it, by name: `bukva.registry.package_files`.
        tags: What is written down of it, beside its digests and the revision of the project.
        metrics: Numbers by which models are compared and chosen.
    """

    recogniser: OnnxModel
    dossier: Mapping[str, bytes]
    tags: Mapping[str, Any]
    metrics: Mapping[str, float] = field(default_factory=dict)


def log_package(
    package: Package, file: AbstractDataset[Any, Any], inference: Pipeline, name: str
) -> None:
    """Log a package, as part of the active run if there is one, and seal it.

    The seal is written last: a model without it is one whose packaging was interrupted.

    Args:
        package: What is logged.
        file: The dataset of its recogniser, on local disk.
        inference: The pipeline from `images` and `recogniser` to answers.
        name: Of the logged model.

    Raises:
        RegistryError: If it cannot be read back.
        TrackingUnreachableError: If the server is not there, or went away on the way.
    """
    with _needing_tracking():
        _log_and_seal(package, file, inference, name)


@contextmanager
def _needing_tracking() -> Iterator[None]:
    """Say how to go on where the server is not there, or goes away on the way."""
    uri = mlflow.get_tracking_uri()
    try:
        if run := active_run():
            run.wait(_PATIENCE_S)
        check_tracking(uri)
        yield
    except Exception as error:
        try:
            check_tracking(uri)
        except TrackingUnreachableError as absence:
            raise TrackingUnreachableError(f"{absence} {_ADVICE}") from error
        raise


def _log_and_seal(
    package: Package, file: AbstractDataset[Any, Any], inference: Pipeline, name: str
) -> None:
    task = find_task(package.recogniser.task)
    model_id = _log_pyfunc(task, file, inference, name)
    _add_dossier(model_id, package.dossier)
    if run_id := MlflowClient().get_logged_model(model_id).source_run_id:
        mlflow.log_metrics(dict(package.metrics), run_id=run_id, model_id=model_id)
    with TemporaryDirectory() as folder:
        digest = digest_folder(download(f"models:/{model_id}", Path(folder)))
    made = {"git_revision": git_revision(), RECOGNISER_TAG: package.recogniser.sha256}
    described = {**made, **package.tags, DIGEST_TAG: digest}
    tags = {key: to_tag(value) for key, value in described.items()}
    MlflowClient().set_logged_model_tags(model_id, tags)


def _log_pyfunc(task: Task, file: AbstractDataset[Any, Any], inference: Pipeline, name: str) -> str:
    catalog = DataCatalog({"recogniser": file})
    model = PackagedPipeline(inference, catalog, input_name="images", runner=SequentialRunner())
    info = mlflow.pyfunc.log_model(
        name=name,
        python_model=model,
        artifacts=model.extract_pipeline_artifacts(),
        signature=signature_of(task),
        **LOG_MODEL_ARGUMENTS,
    )
    return str(info.model_id)


def _add_dossier(model_id: str, dossier: Mapping[str, bytes]) -> None:
    with TemporaryDirectory() as folder:
        place = Path(folder) / FOLDER
        place.mkdir()
        for name, content in dossier.items():
            (place / name).write_bytes(content)
        MlflowClient().log_model_artifacts(model_id, folder)
