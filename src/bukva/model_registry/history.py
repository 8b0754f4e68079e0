"""All that the registry knows of a model's versions, and when each was in production."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest

from bukva.errors import RegistryError
from bukva.model_registry.models import PackagedModel, list_versions
from bukva.model_registry.promotion_log import LogEntry, read_log


@dataclass(frozen=True)
class Period:
    """A time in production.

    Attributes:
        from_ms: When it began, since 1970.
        to_ms: When it ended, None while it lasts.
        by: Who put the version there.
        why: In their words.
    """

    from_ms: int
    to_ms: int | None
    by: str
    why: str


@dataclass(frozen=True)
class VersionRecord:
    """A version and its life.

    Attributes:
        model: The version.
        aliases: What it is called.
        periods: When it was in production, the first time first.
    """

    model: PackagedModel
    aliases: tuple[str, ...]
    periods: tuple[Period, ...]


@dataclass(frozen=True)
class VersionHistory:
    """All versions of a model.

    Attributes:
        name: Of the registered model.
        versions: The last one first.
        log: Of promotions, the first one first.
    """

    name: str
    versions: tuple[VersionRecord, ...]
    log: tuple[LogEntry, ...]

    def find(self, reference: str) -> VersionRecord:
        """Return the version of a number or alias.

        Raises:
            RegistryError: If there is none.
        """
        for record in self.versions:
            if reference == record.model.version or reference in record.aliases:
                return record
        known = ", ".join(
            name for record in self.versions for name in (record.model.version, *record.aliases)
        )
        message = f"Expected a version or alias of '{self.name}', got '{reference}', of"
        raise RegistryError(f"{message} {known or 'none'}. See: python -m bukva model list")


def read_history(name: str) -> VersionHistory:
    """Return what the registry knows of a model.

    Raises:
        RegistryError: If it does not answer.
    """
    found, log = list_versions(name), read_log(name)
    periods = find_periods(log)
    numbers = sorted((key for key in found if key.isdigit()), key=int, reverse=True)
    records = [
        VersionRecord(found[number], _aliases_of(number, found), tuple(periods.get(number, ())))
        for number in numbers
    ]
    return VersionHistory(name, tuple(records), tuple(log))


def find_periods(log: list[LogEntry]) -> dict[str, list[Period]]:
    """Return when each version was in production, by the log, the first time first."""
    done = [entry for entry in log if entry.state == "done"]
    periods: dict[str, list[Period]] = {}
    for entry, following in zip_longest(done, done[1:]):
        period = Period(entry.at_ms, following.at_ms if following else None, entry.by, entry.why)
        periods.setdefault(entry.version, []).append(period)
    return periods


def _aliases_of(number: str, found: Mapping[str, PackagedModel]) -> tuple[str, ...]:
    return tuple(
        name for name, model in found.items() if model.version == number and not name.isdigit()
    )
