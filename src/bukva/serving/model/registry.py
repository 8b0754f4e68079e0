"""What the registry says: which version of the model stands behind the alias, and where it is."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from bukva.errors import RegistryError, TrackingUnreachableError
from bukva.seal import DIGEST_TAG, SIGNATURE_TAG
from bukva.serving.schemas import ServedModel
from bukva.serving.settings import Settings

MAKE_ONE = "Run `python -m bukva release install`, or `make run` to train a model."


@dataclass(frozen=True)
class RegisteredVersion:
    """A version of the model, as it is written down.

    Attributes:
        identity: Which one it is.
        uri: Where its files are.
        digest: Of its files, empty if it was never sealed.
        signature: Over that, empty if nobody signed it.
    """

    identity: ServedModel
    uri: str
    digest: str
    signature: str


def find_version(settings: Settings) -> RegisteredVersion:
    """The version that the alias names now.

    Raises:
        RegistryError: If there is no such model or alias.
        TrackingUnreachableError: If the registry does not answer.
    """
    import mlflow  # the slow part of a start, so after it was looked for a registry
    from mlflow.exceptions import MlflowException

    # For the whole process: MLflow resolves addresses of artifacts by this and by no argument.
    mlflow.set_tracking_uri(settings.tracking_uri)
    name, alias = settings.model_name, settings.model_alias
    client = mlflow.MlflowClient()
    try:
        found = client.get_model_version_by_alias(name, alias)
        uri = client.get_model_version_download_uri(name, found.version)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise _missing(settings) from error
        if error.error_code in ("UNAUTHENTICATED", "PERMISSION_DENIED"):
            raise TrackingUnreachableError(
                f"The registry refuses to tell of {settings.model_uri}: there is no such model, or "
                "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD are of nobody who may see "
                f"it. {MAKE_ONE}"
            ) from error
        raise TrackingUnreachableError(
            f"The registry does not answer when asked for {settings.model_uri}: see the service's "
            "log, and check BUKVA_TRACKING_URI."
        ) from error
    identity = ServedModel(name=name, version=str(found.version), alias=alias)
    tags = found.tags
    return RegisteredVersion(identity, uri, tags.get(DIGEST_TAG, ""), tags.get(SIGNATURE_TAG, ""))


def look_into_sqlite(settings: Settings) -> str | None:
    """The number of the version that the alias names, if the registry is an SQLite file.

    It is looked at before MLflow does, which makes the file and its tables where they are missing:
    beside a first `make run`, which is doing the same, that would break both. And it is looked at
    every few seconds, for which MLflow takes a hundred times as long.

    Returns:
        None for a registry of another kind.

    Raises:
        RegistryError: If there is no such file, model or alias.
    """
    scheme, _, path = settings.tracking_uri.partition(":///")
    if scheme != "sqlite":
        return None
    if not Path(path).is_file():
        raise RegistryError(
            f"Expected the registry {settings.tracking_uri}, found no such file. {MAKE_ONE}"
        )
    query = "SELECT version FROM registered_model_aliases WHERE name = ? AND alias = ?"
    try:
        with closing(sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True)) as connection:
            found = connection.execute(query, (settings.model_name, settings.model_alias))
            row = found.fetchone()
    except sqlite3.Error:  # its tables are not there, or not yet
        row = None
    if row is None:
        raise _missing(settings)
    return str(row[0])


def _missing(settings: Settings) -> RegistryError:
    return RegistryError(f"The registry has no {settings.model_uri}. {MAKE_ONE}")
