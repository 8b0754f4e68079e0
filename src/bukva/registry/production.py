"""What is in production: put a version there, or take it back.

The alias `prod` decides; moving it is one write. Everything else that belongs to it (the alias
`previous`, the tags of audit and status) follows, and is made up for by whoever comes next if this
process is killed before.

One change at a time, as MLflow has no compare-and-set: a lock on the file where the registry is an
SQLite file, an advisory lock on PostgreSQL; both end with their process. Behind a server the lock
is an experiment whose name only one can give.
"""

import fcntl
import getpass
import math
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from sqlalchemy import create_engine, text

from bukva.errors import PromotionConflictError, RegistryError
from bukva.registry.history import Action, LogEntry, read_log, write_entry
from bukva.registry.models import list_versions
from bukva.registry.package_files import (
    CANDIDATE_ALIAS,
    PREVIOUS_ALIAS,
    PRODUCTION_ALIAS,
    sqlite_path,
)
from bukva.registry.registry import require_version, verify

LEASE_S: Final = 20.0
"""A lock behind a server that one holder has had for so long is taken from it."""
_HOLD_S: Final = LEASE_S / 2
_POLL_S: Final = 0.2

_STATUSES: Final = {
    CANDIDATE_ALIAS: "candidate",
    PREVIOUS_ALIAS: "previous",
    PRODUCTION_ALIAS: "production",
}


def put_into_production(
    name: str, version: str, *, expected: str, why: str, action: Action = "promote"
) -> None:
    """Give a version the alias `prod`; the one that it leaves gets `previous`, others are archived.

    Args:
        name: Of the registered model.
        version: Number of the version.
        expected: Number of the version that is to be replaced, empty if none is in production.
        why: For the log.
        action: For the log.

    Raises:
        PromotionConflictError: If another version is in production than was expected: somebody
            else was faster. Nothing is changed then.
        RegistryError: If the version is incomplete, or the registry refuses.
        SealError: If its files are not those that were sealed, or nobody trusted signed them.
        ParityError: If it answers its golden samples otherwise.
    """
    verify(require_version(name, version), name)
    with _lock(name) as until_s:
        log = _settle(name)
        entry = LogEntry(
            number=log[-1].number + 1 if log else 1,
            at=datetime.now(UTC),
            action=action,
            version=version,
            former=expected or None,
            by=f"{getpass.getuser()}@{socket.gethostname()}",
            why=why,
            state="begun",
        )
        write_entry(name, entry, "begun")
        try:
            _move_production(name, version, expected, until_s)
        except PromotionConflictError:
            write_entry(name, entry, "refused")
            raise
        _complete(name, entry)


def roll_back(name: str, why: str) -> str:
    """Put the version that was in production before back there, and return its number.

    Done twice, it changes back again.

    Raises:
        RegistryError: If there is none, or as `put_into_production`.
    """
    with _lock(name):
        _settle(name)
    aliases = _aliases(name)
    current, previous = aliases.get(PRODUCTION_ALIAS, ""), aliases.get(PREVIOUS_ALIAS, "")
    if not previous:
        message = f"Expected a version of '{name}' that was in production before, found none."
        raise RegistryError(f"{message} See: python -m bukva model list")
    put_into_production(name, previous, expected=current, why=why, action="roll back")
    return previous


def _settle(name: str) -> list[LogEntry]:
    """Finish what somebody who died has begun, all that follows the move or else nothing.

    Returns:
        The log as it was.
    """
    log = read_log(name)
    for entry in log:
        if entry.state == "begun" and _aliases(name).get(PRODUCTION_ALIAS) == entry.version:
            _complete(name, entry)
        elif entry.state == "begun":
            write_entry(name, entry, "abandoned")
    return log


def _move_production(name: str, version: str, expected: str, until_s: float) -> None:
    found = _aliases(name).get(PRODUCTION_ALIAS, "")
    if found != expected:
        message = f"Expected {_spell(expected)} in production, found {_spell(found)}: somebody"
        raise PromotionConflictError(
            f"{message} promoted or rolled back meanwhile, and nothing was changed now. "
            "See: python -m bukva model log. Then try again."
        )
    if time.monotonic() > until_s:
        message = f"Expected the registry to answer within {_HOLD_S:g} s, it took longer:"
        raise PromotionConflictError(f"{message} nothing was changed. Try again.")
    MlflowClient().set_registered_model_alias(name, PRODUCTION_ALIAS, version)
    found = _aliases(name).get(PRODUCTION_ALIAS, "")
    if found != version:
        message = f"Expected version {version} in production, found {_spell(found)}: somebody"
        raise PromotionConflictError(f"{message} set the alias by other means. Look there first.")


def _complete(name: str, entry: LogEntry) -> None:
    """Do all that follows the move of `prod`; to do it twice does no harm."""
    client = MlflowClient()
    if entry.former not in (None, entry.version):
        client.set_registered_model_alias(name, PREVIOUS_ALIAS, entry.former)
    if _aliases(name).get(CANDIDATE_ALIAS) == entry.version:
        client.delete_registered_model_alias(name, CANDIDATE_ALIAS)
    audit = {
        "promoted_by": entry.by,
        "promoted_at": entry.at.isoformat("T", "seconds"),
        "promoted_from": entry.former or "",
        "promoted_why": entry.why,
    }
    for key, value in audit.items():
        client.set_model_version_tag(name, entry.version, key, value)
    versions = list_versions(name)
    # The last one counts, where a version has several.
    statuses = {
        versions[alias].version: status for alias, status in _STATUSES.items() if alias in versions
    }
    for number, version in versions.items():
        status = statuses.get(number, "archived")
        if number == version.version and version.tags.get("status") != status:
            client.set_model_version_tag(name, number, "status", status)
    write_entry(name, entry, "done")


def _aliases(name: str) -> dict[str, str]:
    found = MlflowClient().get_registered_model(name).aliases
    return {alias: str(version) for alias, version in found.items()}


def _spell(version: str) -> str:
    return f"version {version}" if version else "none"


@contextmanager
def _lock(name: str) -> Iterator[float]:
    """Hold the right to change what is in production; yield until when, by `time.monotonic`."""
    uri = mlflow.get_tracking_uri()
    if database := sqlite_path(uri):
        with database.with_name(f"{database.name}.lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield math.inf
    elif uri.startswith("postgresql"):
        key = int.from_bytes(sha256(f"bukva promotion {name}".encode()).digest()[:8], signed=True)
        engine = create_engine(uri)
        try:
            with engine.connect() as connection:
                connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": key})
                yield math.inf
        finally:
            engine.dispose()
    else:
        lock = f"{name}-promotion-lock"
        mine = _create_lock(lock)
        try:
            yield time.monotonic() + _HOLD_S
        finally:
            _remove_lock(lock, mine)


def _create_lock(lock: str) -> str:
    """Return the id of the experiment of this name, once we are the one who made it.

    Who holds it is taken for dead once it was seen for a lease: no clocks need agree.
    """
    client, seen, since_s = MlflowClient(), "", 0.0
    while True:
        try:
            return client.create_experiment(lock)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise RegistryError(f"Expected to lock '{lock}', got: {error}") from error
        held = client.get_experiment_by_name(lock)
        if held and held.experiment_id != seen:
            seen, since_s = held.experiment_id, time.monotonic()
        elif held and time.monotonic() - since_s > LEASE_S:
            _remove_lock(lock, seen)
        time.sleep(_POLL_S)


def _remove_lock(lock: str, experiment_id: str) -> None:
    """Give the name free by the id, so that never the experiment of somebody else is hit."""
    client = MlflowClient()
    try:
        if client.get_experiment(experiment_id).lifecycle_stage == "deleted":  # by hand
            client.restore_experiment(experiment_id)
        client.rename_experiment(experiment_id, f"{lock} {experiment_id}")
        client.delete_experiment(experiment_id)
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_STATE"):
            message = f"Expected to remove the experiment '{lock}' ({experiment_id}), got: {error}."
            raise RegistryError(f"{message} It is the lock of promotions: delete it.") from error
