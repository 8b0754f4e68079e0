"""Where the served model comes from: a version of a registered model, found by its alias.

The model is loaded once, in a thread of its own: the registry is never asked within a request.
"""

import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bukva.errors import BukvaError, ModelError, RegistryError, TrackingUnreachableError
from bukva.serving.contract import PROBE_IMAGES, check_probe
from bukva.serving.logs import log_event, log_failure, quiet_kedro
from bukva.serving.schemas import ServedModel
from bukva.serving.settings import Settings

MAKE_ONE = "Run `python -m bukva release install`, or `make run` to train a model."


@dataclass(frozen=True)
class LoadedModel:
    """One version of the packaged model, ready to be called from any thread."""

    identity: ServedModel
    pyfunc: Any  # mlflow.pyfunc.PyFuncModel, which is imported late and has no types

    def predict(self, images: Sequence[bytes]) -> list[dict[str, Any]]:
        """One row (column -> value) for each encoded image, in their order; missing is None.

        Raises:
            ModelError: If there are not as many rows as images.
        """
        import pandas as pd

        answer = self.pyfunc.predict(pd.DataFrame({"image": list(images)}))
        if len(answer) != len(images):
            raise ModelError(f"Expected {len(images)} rows from the model, got {len(answer)}.")
        rows: list[dict[str, Any]] = answer.to_dict(orient="records")
        # pandas writes a missing value as None, NaN or NA, as the type of the column pleases.
        return [
            {
                column: None if pd.api.types.is_scalar(value) and pd.isna(value) else value
                for column, value in row.items()
            }
            for row in rows
        ]


class ModelSource:
    """Loads `models:/<model_name>@<model_alias>` and tries again until it has succeeded."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._address = f"models:/{settings.model_name}@{settings.model_alias}"
        self._current: LoadedModel | None = None
        self._reason = f"{self._address} is being loaded."
        self._stopped = threading.Event()

    def current(self) -> LoadedModel | None:
        """The model that answers now, or None while there is none."""
        return self._current

    def reason(self) -> str:
        """Why there is no model, and what to do; made of our own words, so safe to show."""
        return self._reason

    def start(self) -> None:
        """Begins to load in the background."""
        # A daemon, so that a registry that does not answer cannot hold up the end of the process.
        threading.Thread(target=self._load_until_done, name="model-source", daemon=True).start()

    def stop(self) -> None:
        """Ends the attempts to load."""
        self._stopped.set()

    def _load_until_done(self) -> None:
        while self._current is None and not self._stopped.is_set():
            try:
                self._current = self._load()
                log_event("model_loaded", **self._current.identity.model_dump())
            except BukvaError as error:
                self._report(str(error), error.__cause__)
            except Exception as error:  # a packaged model may raise anything while it loads
                self._report(f"{self._address} cannot be loaded: see the service's log.", error)
            if self._current is None:
                self._stopped.wait(self._settings.load_retry_s)

    def _report(self, reason: str, cause: BaseException | None) -> None:
        if reason != self._reason:  # once, not at every attempt
            log_failure("model_not_loaded", cause, reason=reason)
        self._reason = reason

    def _load(self) -> LoadedModel:
        import mlflow  # the slow part of a start, so before there is anything to load

        require_sqlite_model(self._settings)
        # For the whole process: MLflow resolves `models:/` by this setting and by no argument.
        mlflow.set_tracking_uri(self._settings.tracking_uri)
        identity = self._find_version()
        pyfunc = mlflow.pyfunc.load_model(f"models:/{identity.name}/{identity.version}")
        quiet_kedro()
        model = LoadedModel(identity, pyfunc)
        check_probe(model.predict(PROBE_IMAGES))
        return model

    def _find_version(self) -> ServedModel:
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException

        name, alias = self._settings.model_name, self._settings.model_alias
        try:
            found = MlflowClient().get_model_version_by_alias(name, alias)
        except MlflowException as error:
            if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                raise RegistryError(f"The registry has no {self._address}. {MAKE_ONE}") from error
            raise TrackingUnreachableError(
                f"The registry does not answer when asked for {self._address}: see the service's "
                "log, and check BUKVA_TRACKING_URI."
            ) from error
        return ServedModel(name=name, version=str(found.version), alias=alias)


def require_sqlite_model(settings: Settings) -> None:
    """Looks into a registry in an SQLite file before MLflow does.

    MLflow makes the file and its tables where they are missing: beside a first `make run`, which
    is doing the same, that would break both.
    """
    scheme, _, path = settings.tracking_uri.partition(":///")
    if scheme != "sqlite":
        return
    if not Path(path).is_file():
        raise RegistryError(
            f"Expected the registry {settings.tracking_uri}, found no such file. {MAKE_ONE}"
        )
    query = "SELECT 1 FROM registered_model_aliases WHERE name = ? AND alias = ?"
    try:
        with closing(sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True)) as connection:
            found = connection.execute(query, (settings.model_name, settings.model_alias))
            has_alias = found.fetchone() is not None
    except sqlite3.Error:  # its tables are not there, or not yet
        has_alias = False
    if not has_alias:
        raise _missing(settings)


def _missing(settings: Settings) -> RegistryError:
    address = f"models:/{settings.model_name}@{settings.model_alias}"
    return RegistryError(f"The registry has no {address}. {MAKE_ONE}")
