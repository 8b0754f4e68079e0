"""All that the registry knows of a model's versions, and when each was in production.

MLflow keeps no history of an alias. So each attempt to change what is in production is an entry of
a log, a tag of the registered model. Former releases kept an entry as a version of the registered
model `<name>-promotions`; it is read where it is there.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Annotated, Any, Final, Literal

from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from pydantic import BaseModel, BeforeValidator, Field, PlainSerializer

from bukva.core.parameters import flatten, shares_of
from bukva.errors import RegistryError
from bukva.registry.models import PackagedModel, list_versions

Action = Literal["promote", "roll back"]
State = Literal["begun", "done", "refused", "abandoned"]

_PAGE_SIZE: Final = 1000
_ENTRY: Final = "promotion."
_LONGEST_REASON: Final = 3000  # characters: a tag holds 5,000
_TIME: Final = "%Y-%m-%d %H:%M:%S UTC"
_INTERVAL: Final = ".ci95"
# Digests and the like: `show` prints them in full, a comparison has no use for them.
_IDENTITIES: Final = ("_sha256", "_signature", "fingerprint", "git_revision", "promoted_", "status")


def _read_time(value: Any) -> Any:
    return datetime.strptime(value, _TIME).replace(tzinfo=UTC) if isinstance(value, str) else value


Time = Annotated[
    datetime, BeforeValidator(_read_time), PlainSerializer(lambda time: time.strftime(_TIME))
]


class LogEntry(BaseModel):
    """One attempt to change what is in production: `state` is `begun` until its end is known."""

    number: int
    at: Time
    action: Action
    version: str
    former: str | None
    by: str
    why: str
    state: State


class Period(BaseModel):
    """A time in production; `to` is None while it lasts."""

    start: Time = Field(serialization_alias="from")
    to: Time | None
    by: str
    why: str


class Metric(BaseModel):
    """A number that was measured, with its 95 % interval where it has one."""

    value: float
    interval_95: tuple[float, float] | None


class VersionRecord(BaseModel):
    """A version and its life."""

    version: str
    aliases: list[str]
    registered: Time
    in_production: list[Period]
    metrics: dict[str, Metric]
    parameters: dict[str, Any] | None
    tags: dict[str, Any]


class Comparison(BaseModel):
    """What was measured of two versions when each was made, and what else differs.

    `promote` lets both answer anew for the same samples.
    """

    versions: tuple[str, str]
    same_test_split: bool
    metrics: dict[str, tuple[Metric | None, Metric | None]]
    differences: dict[str, tuple[Any, Any]]


class VersionHistory(BaseModel):
    """All versions of a model, the last one first, and its log, the first entry first."""

    name: str
    versions: list[VersionRecord]
    log: list[LogEntry]

    def find(self, reference: str) -> VersionRecord:
        """Return the version of a number or alias.

        Raises:
            RegistryError: If there is none.
        """
        named = {
            name: record for record in self.versions for name in (record.version, *record.aliases)
        }
        if reference in named:
            return named[reference]
        message = f"Expected a version or alias of '{self.name}', got '{reference}', of"
        raise RegistryError(
            f"{message} {', '.join(named) or 'none'}. See: python -m bukva model list"
        )


def read_log(name: str) -> list[LogEntry]:
    """Return all entries of the log, the first one first.

    Raises:
        RegistryError: If the registry does not answer.
    """
    client = MlflowClient()
    try:
        former = client.search_model_versions(f"name = '{name}-promotions'", max_results=_PAGE_SIZE)
        tags = client.get_registered_model(name).tags
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return []
        raise RegistryError(f"Expected the log of '{name}', got: {error}") from error
    entries = [
        {
            "number": int(item.version),
            "at": _to_time(item.creation_timestamp),
            **{key: item.tags[key] for key in ("action", "by", "why", "state")},
            "version": item.tags["promoted"],
            "former": item.tags["former"] or None,
        }
        for item in former
    ] + [json.loads(value) for key, value in tags.items() if key.startswith(_ENTRY)]
    # Of two with one number the second was written later: the end of an entry of a former release.
    numbered = {entry["number"]: LogEntry.model_validate(entry) for entry in entries}
    return [numbered[number] for number in sorted(numbered)]


def write_entry(name: str, entry: LogEntry, state: State) -> None:
    """Write an entry into the log, or how it ended."""
    reason = entry.why[:_LONGEST_REASON]
    written = entry.model_copy(update={"state": state, "why": reason}).model_dump(mode="json")
    key = f"{_ENTRY}{entry.number:06d}"
    text = json.dumps(written, ensure_ascii=False)
    MlflowClient().set_registered_model_tag(name, key, text)


def read_history(name: str) -> VersionHistory:
    """Return what the registry knows of a model.

    Raises:
        RegistryError: If it does not answer.
    """
    found, log = list_versions(name), read_log(name)
    periods = find_periods(log)
    numbers = sorted((key for key in found if key.isdigit()), key=int, reverse=True)
    records = [
        describe_version(
            found[number],
            [key for key in found if not key.isdigit() and found[key].version == number],
            periods.get(number, []),
        )
        for number in numbers
    ]
    return VersionHistory(name=name, versions=records, log=log)


def find_periods(log: Iterable[LogEntry]) -> dict[str, list[Period]]:
    """Return when each version was in production, by the log, the first time first."""
    done = [entry for entry in log if entry.state == "done"]
    periods: dict[str, list[Period]] = {}
    for entry, following in zip_longest(done, done[1:]):
        until = following.at if following else None
        period = Period(start=entry.at, to=until, by=entry.by, why=entry.why)
        periods.setdefault(entry.version, []).append(period)
    return periods


def describe_version(
    model: PackagedModel, aliases: list[str], periods: list[Period]
) -> VersionRecord:
    """Return a version with its tags read as the values that they were made from."""
    values = {key: _read_tag(value) for key, value in sorted(model.tags.items())}
    metrics = find_metrics(values)
    shown = {"parameters", *metrics, *(f"{key}{_INTERVAL}" for key in metrics)}
    return VersionRecord(
        version=model.version,
        aliases=aliases,
        registered=_to_time(model.made_ms),
        in_production=periods,
        metrics=metrics,
        parameters=_as_used(values.get("parameters"), values.get("trained_on")),
        tags={
            key: value
            for key, value in values.items()
            if key not in shown and not key.startswith("mlflow.")
        },
    )


def _as_used(
    parameters: dict[str, Any] | None, trained_on: list[str] | None
) -> dict[str, Any] | None:
    """Return parameters without what had no effect, which models of former revisions say too."""
    if parameters is None or trained_on is None:
        return parameters
    return {
        stage: {**group, "corpora": shares_of(group["corpora"], trained_on)}
        if "corpora" in group
        else group
        for stage, group in parameters.items()
    }


def find_metrics(values: Mapping[str, Any]) -> dict[str, Metric]:
    """Return the numbers among results or tags, each with the interval that stands beside it."""
    return {
        key: Metric(value=value, interval_95=values.get(f"{key}{_INTERVAL}"))
        for key, value in values.items()
        if isinstance(value, float)
    }


def compare_versions(first: VersionRecord, second: VersionRecord) -> Comparison:
    """Return two versions side by side."""
    pair = (first, second)
    splits = {record.tags.get("test_split_sha256") for record in pair}
    one, other = (flatten(record.parameters or {}) | record.tags for record in pair)
    return Comparison(
        versions=(first.version, second.version),
        same_test_split=len(splits) == 1 and None not in splits,
        metrics={
            key: (first.metrics.get(key), second.metrics.get(key))
            for key in sorted(first.metrics.keys() | second.metrics.keys())
        },
        differences={
            key: (one.get(key), other.get(key))
            for key in sorted(one.keys() | other.keys())
            if one.get(key) != other.get(key) and not any(word in key for word in _IDENTITIES)
        },
    )


def _to_time(time_ms: int) -> datetime:
    return datetime.fromtimestamp(time_ms / 1000, UTC)


def _read_tag(text: str) -> Any:
    """Return the value that a tag was made from: text stays text, as do whole numbers."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return text if isinstance(value, int) and not isinstance(value, bool) else value
