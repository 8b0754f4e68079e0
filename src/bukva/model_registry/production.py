"""What is in production: put a version there, or take it back.

The alias `prod` decides; moving it is one write. Everything else that belongs to it (the alias
`previous`, the tags of audit and status) follows, and is made up for by whoever comes next if this
process is killed before.
"""

from datetime import UTC, datetime
from typing import Final

from mlflow.tracking import MlflowClient

from bukva.errors import PromotionConflictError, RegistryError
from bukva.model_registry.models import list_versions
from bukva.model_registry.names import CANDIDATE_ALIAS, PREVIOUS_ALIAS, PRODUCTION_ALIAS
from bukva.model_registry.promotion_log import Action, LogEntry, close_entry, read_log
from bukva.model_registry.registry import require_version
from bukva.model_registry.turn import take_turn
from bukva.model_registry.verification import verify

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
    with take_turn(name, action, version, expected, why) as turn:
        for entry in turn.unfinished:
            _settle(name, entry)
        _check_expected(name, expected)
        turn.check()
        _move_production(name, version)
        _complete(name, turn.entry)


def roll_back(name: str, why: str) -> str:
    """Put the version that was in production before back there, and return its number.

    Done twice, it changes back again.

    Raises:
        RegistryError: If there is none, or as `put_into_production`.
    """
    current, previous = _aliases(name).get(PRODUCTION_ALIAS, ""), find_previous(name)
    if not previous:
        message = f"Expected a version of '{name}' that was in production before, found none."
        raise RegistryError(f"{message} See: python -m bukva model list")
    put_into_production(name, previous, expected=current, why=why, action="roll back")
    return previous


def find_previous(name: str) -> str:
    """Return the version that a rollback goes to, empty if there is none.

    It is `previous`, unless whoever changed `prod` last was killed before it could be set.
    """
    aliases = _aliases(name)
    current = aliases.get(PRODUCTION_ALIAS, "")
    for entry in reversed(read_log(name)):
        if entry.state == "begun" and entry.version == current != entry.former:
            return entry.former
    return aliases.get(PREVIOUS_ALIAS, "")


def _settle(name: str, entry: LogEntry) -> None:
    """Finish what somebody who died has begun: all that follows the move, or else nothing."""
    if _aliases(name).get(PRODUCTION_ALIAS) == entry.version:
        _complete(name, entry)
    else:
        close_entry(name, entry, "abandoned")


def _check_expected(name: str, expected: str) -> None:
    found = _aliases(name).get(PRODUCTION_ALIAS, "")
    if found != expected:
        message = f"Expected {_spell(expected)} in production, found {_spell(found)}: somebody"
        raise PromotionConflictError(
            f"{message} promoted or rolled back meanwhile, and nothing was changed now. "
            "See: python -m bukva model log. Then try again."
        )


def _move_production(name: str, version: str) -> None:
    MlflowClient().set_registered_model_alias(name, PRODUCTION_ALIAS, version)
    found = _aliases(name).get(PRODUCTION_ALIAS, "")
    if found != version:
        message = f"Expected version {version} in production, found {_spell(found)}: somebody"
        raise PromotionConflictError(f"{message} set the alias by other means. Look there first.")


def _complete(name: str, entry: LogEntry) -> None:
    """Do all that follows the move of `prod`; to do it twice does no harm."""
    client = MlflowClient()
    if entry.former not in ("", entry.version):
        client.set_registered_model_alias(name, PREVIOUS_ALIAS, entry.former)
    if _aliases(name).get(CANDIDATE_ALIAS) == entry.version:
        client.delete_registered_model_alias(name, CANDIDATE_ALIAS)
    audit = {
        "promoted_by": entry.by,
        "promoted_at": datetime.fromtimestamp(entry.at_ms / 1000, UTC).isoformat("T", "seconds"),
        "promoted_from": entry.former,
        "promoted_why": entry.why,
    }
    for key, value in audit.items():
        client.set_model_version_tag(name, entry.version, key, value)
    _mark_statuses(name)
    close_entry(name, entry, "done")


def _mark_statuses(name: str) -> None:
    versions = list_versions(name)
    # The last one counts, where a version has several.
    statuses = {
        versions[alias].version: status for alias, status in _STATUSES.items() if alias in versions
    }
    for number, version in versions.items():
        status = statuses.get(number, "archived")
        if number == version.version and version.tags.get("status") != status:
            MlflowClient().set_model_version_tag(name, number, "status", status)


def _aliases(name: str) -> dict[str, str]:
    found = MlflowClient().get_registered_model(name).aliases
    return {alias: str(version) for alias, version in found.items()}


def _spell(version: str) -> str:
    return f"version {version}" if version else "none"
