"""Who put which version into production, when and why: MLflow keeps no history of an alias.

The log is a registered model of its own, `<name>-promotions`. Each entry is a version of it, with
the version that it is about as its source, so that MLflow numbers the entries: whatever happens at
the same time, each has its number, and each knows those before it.
"""

import getpass
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, cast

from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from bukva.errors import RegistryError

Action = Literal["promote", "roll back"]
State = Literal["begun", "done", "refused", "abandoned"]

_PAGE_SIZE: Final = 1000


@dataclass(frozen=True)
class LogEntry:
    """One attempt to change what is in production.

    Attributes:
        number: The later, the higher.
        action: What was to be done.
        version: What was to be in production.
        former: What was, empty if nothing was.
        by: Who did it.
        why: In their words.
        state: `begun` until it is known how it ended.
        at_ms: When it was begun, by the registry's clock, since 1970.
        alive_ms: When whoever wrote it was heard of last, by the same clock.
    """

    number: int
    action: str
    version: str
    former: str
    by: str
    why: str
    state: str
    at_ms: int
    alive_ms: int


def append_entry(name: str, action: Action, version: str, former: str, why: str) -> LogEntry:
    """Write down what is about to be done, and return it with its number.

    Raises:
        RegistryError: If the registry refuses.
    """
    client, log = MlflowClient(), _log_of(name)
    tags = {"action": action, "promoted": version, "former": former, "by": _whoami()}
    try:
        _make_log(client, log)
        made = client.create_model_version(
            log, source=f"models:/{name}/{version}", tags={**tags, "why": why, "state": "begun"}
        )
    except MlflowException as error:
        message = f"Expected to write into the log '{log}' of the registry, got: {error}"
        raise RegistryError(message) from error
    return _describe(made, tags | {"why": why, "state": "begun"})


def renew(name: str, entry: LogEntry) -> int:
    """Say that whoever wrote an entry is still at work; return the registry's time, in ms."""
    told = MlflowClient().update_model_version(_log_of(name), str(entry.number), entry.why)
    return cast("int", told.last_updated_timestamp)


def close_entry(name: str, entry: LogEntry, state: State) -> None:
    """Write down how it ended."""
    MlflowClient().set_model_version_tag(_log_of(name), str(entry.number), "state", state)


def read_log(name: str) -> list[LogEntry]:
    """Return all entries, the first one first.

    Raises:
        RegistryError: If the registry does not answer.
    """
    try:
        found = MlflowClient().search_model_versions(
            f"name = '{_log_of(name)}'", max_results=_PAGE_SIZE
        )
    except MlflowException as error:
        raise RegistryError(f"Expected the log '{_log_of(name)}', got: {error}") from error
    return sorted((_describe(item, item.tags) for item in found), key=lambda entry: entry.number)


def _log_of(name: str) -> str:
    return f"{name}-promotions"


def _make_log(client: MlflowClient, log: str) -> None:
    try:
        client.create_registered_model(
            log, description="Each version is one change of what is in production: no models."
        )
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _describe(version: ModelVersion, tags: Mapping[str, str]) -> LogEntry:
    return LogEntry(
        number=int(version.version),
        action=tags["action"],
        version=tags["promoted"],
        former=tags["former"],
        by=tags["by"],
        why=tags["why"],
        state=tags["state"],
        at_ms=int(version.creation_timestamp),
        alive_ms=cast("int", version.last_updated_timestamp),
    )


def _whoami() -> str:
    return f"{getpass.getuser()}@{socket.gethostname()}"
