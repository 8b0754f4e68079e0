"""Which version the registry's alias names, and where its files are; the last ones, kept on disk.

Files are kept under their digest and compared with it again before they are used. A disk that is
full or cannot be written costs the cache and nothing else.
"""

import hashlib
import json
import os
import shutil
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

from bukva.errors import RegistryError, TrackingUnreachableError
from bukva.registry.package_files import DIGEST_TAG, SIGNATURE_TAG, locate_files, sqlite_path
from bukva.serving.logs import log_failure
from bukva.serving.schemas import ServedModel
from bukva.serving.settings import Settings

_SQLITE_MAGIC = b"SQLite format 3\0"  # the first bytes of each such file
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
    address = _address_to_read(settings)
    import mlflow  # the slow part of a start, so after it was looked for a registry
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    name, alias = settings.model_name, settings.model_alias
    client = mlflow.MlflowClient(address, address)
    try:
        found = client.get_model_version_by_alias(name, alias)
        recorded = client.get_model_version_download_uri(name, found.version)
        uri = locate_files(recorded, settings.tracking_uri)
    except SQLAlchemyError as error:  # its tables are not there, or not yet
        raise _missing(settings) from error
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


def _address_to_read(settings: Settings) -> str:
    """The address of the registry, at which MLflow changes nothing.

    It makes the file of an SQLite registry and its tables where they are missing: beside a first
    `make run`, which is doing the same, that would break both.

    Raises:
        RegistryError: If there is no such file, or nothing is in it yet.
    """
    path = sqlite_path(settings.tracking_uri)
    if path is None:
        return settings.tracking_uri
    try:
        with path.open("rb") as file:
            is_database = file.read(len(_SQLITE_MAGIC)) == _SQLITE_MAGIC
    except OSError as error:
        raise RegistryError(
            f"Expected the registry {settings.tracking_uri}, found no such file. {MAKE_ONE}"
        ) from error
    if not is_database:
        raise _missing(settings)
    from sqlalchemy import URL  # what MLflow reads addresses with

    place = f"file:{quote(str(path))}"
    return str(URL.create("sqlite", database=place, query={"mode": "ro", "uri": "true"}))


def _missing(settings: Settings) -> RegistryError:
    return RegistryError(f"The registry has no {settings.model_uri}. {MAKE_ONE}")


_KEPT = 3


class ModelCache:
    """A folder with the files of a few versions, and a note of the one that was served last."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.model_cache.expanduser()
        # Several services may share the folder.
        served = f"{settings.tracking_uri}\n{settings.model_uri}".encode()
        self._note = self._folder / f"{hashlib.sha256(served).hexdigest()[:16]}.json"

    def copy(self, digest: str, target: Path) -> bool:
        """Copy the files with a digest to a folder; return False if they are not here."""
        try:
            shutil.copytree(self._folder / digest, target, symlinks=True)
            os.utime(self._folder / digest)
        except OSError:
            shutil.rmtree(target, ignore_errors=True)
            return False
        return True

    def keep(self, version: RegisteredVersion, digest: str, files: Path) -> None:
        """Keep the files of the version that is served now, and drop those of old ones."""
        draft = self._folder / f".{uuid.uuid4().hex}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not (self._folder / digest).is_dir():
                shutil.copytree(files, draft)
                draft.rename(self._folder / digest)
            note = json.dumps({**asdict(version), "identity": version.identity.model_dump()})
            draft.write_text(note, encoding="utf-8")
            draft.replace(self._note)
            self._drop_old()
        except OSError as error:
            log_failure("model_not_cached", error)
            shutil.rmtree(draft, ignore_errors=True)

    def drop(self, digest: str) -> None:
        """Forget files that are not what they were."""
        shutil.rmtree(self._folder / digest, ignore_errors=True)

    def recall(self) -> RegisteredVersion | None:
        """Return the version that was served last, None if there was none."""
        return _recall(self._note)

    def _drop_old(self) -> None:
        """Drop all but the newest; what is served of another task, or by another service, stays."""
        served = {known.digest for note in self._folder.glob("*.json") if (known := _recall(note))}
        others = [each for each in self._folder.iterdir() if each.is_dir()]
        others = [each for each in others if each.name not in served]
        others.sort(key=lambda path: path.stat().st_mtime, reverse=True)
        for path in others[_KEPT - 1 :]:
            shutil.rmtree(path, ignore_errors=True)


def _recall(note: Path) -> RegisteredVersion | None:
    try:
        written = json.loads(note.read_text(encoding="utf-8"))
        return RegisteredVersion(**{**written, "identity": ServedModel(**written["identity"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None
