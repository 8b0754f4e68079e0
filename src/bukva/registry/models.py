"""Models in MLflow: those that were packaged, and those of them that are registered."""

import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

import mlflow
from mlflow.artifacts import download_artifacts, list_artifacts
from mlflow.entities import LoggedModel
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from bukva.errors import BukvaError, RegistryError
from bukva.registry.package_files import RECOGNISER_PATH, RECOGNISER_TAG, local_path, locate_files

_PAGE_SIZE: Final = 1000


class Origin(NamedTuple):
    """The run that packaged a model, how it is, as MLflow says it, and its experiment's name."""

    run_id: str
    status: str
    experiment: str


@dataclass(frozen=True)
class PackagedModel:
    """A logged or registered model.

    Attributes:
        uri: Where MLflow finds it.
        tags: What was written down of it.
        read_onnx: Reads the bytes of its recogniser, which are not fetched before they are needed.
        find_damage: Says what is wrong with its files, empty if nothing is; fetches all of them.
        version: Its number in the registry, empty while it is only logged.
        metrics: Numbers that the tracker knows of it.
        origin: The run that it comes from, None if it comes from none.
        made_ms: When it was logged or registered, since 1970.
    """

    uri: str
    tags: Mapping[str, str]
    read_onnx: Callable[[], bytes] = field(repr=False)
    find_damage: Callable[[], str] = field(default=str, repr=False)
    version: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    origin: Origin | None = None
    made_ms: int = 0

    @cached_property
    def onnx_model(self) -> bytes:
        """The bytes of its recogniser.

        Raises:
            RegistryError: If they cannot be read.
        """
        return self.read_onnx()

    @cached_property
    def sha256(self) -> str:
        """Digest of the recogniser, as it was written down if it was."""
        return self.tags.get(RECOGNISER_TAG) or hashlib.sha256(self.onnx_model).hexdigest()


def list_packaged(name: str) -> list[PackagedModel]:
    """Return the models that were logged under a name, the last first."""
    experiments = {item.experiment_id: item.name for item in mlflow.search_experiments()}
    logged = mlflow.search_logged_models(
        experiment_ids=list(experiments),
        filter_string=f"name = '{name}'",
        order_by=[{"field_name": "creation_timestamp", "ascending": False}],
        output_format="list",
    )
    origins = _find_origins({model.source_run_id for model in logged} - {None}, experiments)
    return [_describe_logged(model, origins) for model in logged]


def list_versions(name: str) -> dict[str, PackagedModel]:
    """Return the registered versions of a model by number and once more by each alias.

    Raises:
        RegistryError: If the registry does not answer.
    """
    client = MlflowClient()
    try:
        found = client.search_model_versions(f"name = '{name}'", max_results=_PAGE_SIZE)
        aliases = client.get_registered_model(name).aliases if found else {}
    except MlflowException as error:
        raise RegistryError(f"Expected the versions of '{name}', got: {error}") from error
    versions = {str(item.version): _describe_version(item) for item in found}
    named = {alias: versions[str(number)] for alias, number in aliases.items()}
    return versions | named


def find_version(name: str, reference: str) -> PackagedModel | None:
    """Return the version of this number or alias, None if there is none.

    Raises:
        RegistryError: If the registry does not answer.
    """
    client = MlflowClient()
    look = client.get_model_version if reference.isdigit() else client.get_model_version_by_alias
    try:
        return _describe_version(look(name, reference))
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        message = f"Expected MLflow to name '{name}@{reference}', got: {error}"
        raise RegistryError(message) from error


def _describe_logged(model: LoggedModel, origins: Mapping[str | None, Origin]) -> PackagedModel:
    uri, tags = f"models:/{model.model_id}", dict(model.tags)
    return PackagedModel(
        uri=uri,
        tags=tags,
        find_damage=partial(_find_damage, uri, tags),
        read_onnx=partial(_read_recogniser, uri),
        metrics={item.key: item.value for item in model.metrics or []},
        origin=origins.get(model.source_run_id),
        made_ms=model.creation_timestamp,
    )


def _find_origins(
    run_ids: Collection[str | None], experiments: Mapping[str, str]
) -> dict[str | None, Origin]:
    """Return by id what is known of runs; one that was deleted is not known."""
    if not run_ids:
        return {}
    listed = ", ".join(f"'{run_id}'" for run_id in run_ids)
    runs = MlflowClient().search_runs(
        list(experiments), f"attributes.run_id IN ({listed})", max_results=len(run_ids)
    )
    infos = [run.info for run in runs]
    return {
        info.run_id: Origin(info.run_id, info.status, experiments[info.experiment_id])
        for info in infos
    }


def _describe_version(version: ModelVersion) -> PackagedModel:
    uri = f"models:/{version.name}/{version.version}"
    return PackagedModel(
        uri=uri,
        tags=dict(version.tags),
        read_onnx=partial(_read_recogniser, uri),
        version=str(version.version),
        made_ms=version.creation_timestamp,
    )


def _find_damage(uri: str, tags: Mapping[str, str]) -> str:
    from bukva.registry.registry import check_files  # loads onnxruntime

    try:
        check_files(uri, tags)
    except BukvaError as error:
        return str(error)
    return ""


def _read_recogniser(uri: str) -> bytes:
    with TemporaryDirectory() as folder:
        return download(uri, Path(folder), RECOGNISER_PATH).read_bytes()


def find_files(uri: str) -> str:
    """Return where the files of a logged model or of a registered version lie.

    Args:
        uri: `models:/<id>` or `models:/<name>/<version>`.

    Raises:
        RegistryError: If MLflow does not know it.
    """
    name, _, version = uri.removeprefix("models:/").partition("/")
    client = MlflowClient()
    try:
        recorded = (
            client.get_model_version_download_uri(name, version)
            if version
            else client.get_logged_model(name).artifact_location
        )
    except MlflowException as error:
        raise RegistryError(f"Expected the address of {uri}, got: {error}") from error
    return locate_files(recorded, mlflow.get_tracking_uri())


def has_files(model: PackagedModel) -> bool:
    """Return whether anything lies where MLflow has the files of a model."""
    return bool(list_artifacts(find_files(model.uri)))


def download(uri: str, folder: Path, part: str = "") -> Path:
    """Return where below a folder the files of a model are now.

    Args:
        uri: As `find_files`.
        folder: Where to.
        part: A file of the model, where not all of them are wanted.

    Raises:
        RegistryError: If they are not there, or cannot be read.
    """
    place = find_files(uri)
    try:
        path = Path(download_artifacts(f"{place}/{part}" if part else place, dst_path=str(folder)))
        if path.is_file() or (path.is_dir() and any(path.iterdir())):
            return path
        fault = "nothing lies there"
    except (MlflowException, OSError) as error:
        fault = f"they cannot be read: {error}"
    shown = local_path(place) or place
    message = f"Expected the files of {uri} at {shown}, but {fault.rstrip('.')}. Bring them back:"
    raise RegistryError(
        f"{message} of a project that was moved or copied, mlartifacts belongs beside mlflow.db. "
        "Or make others: python -m bukva release install, or kedro run --pipeline=packaging."
    )


def to_tag(value: Any) -> str:
    """Return a value as a tag holds it: text as it is, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
