"""Versions of the model, and what became of them, as plain values."""

import json
from datetime import UTC, datetime
from typing import Any, Final

from bukva.model_registry.history import Period, VersionRecord
from bukva.model_registry.promotion_log import LogEntry
from bukva.parameters import flatten

Described = dict[str, Any]

# Digests and the like: `show` prints them in full, a comparison has no use for them.
_IDENTITIES: Final = ("_sha256", "_signature", "fingerprint", "git_revision", "promoted_", "status")
_INTERVAL: Final = ".ci95"
_BY_MLFLOW: Final = "mlflow."


def describe_version(record: VersionRecord) -> Described:
    """Return all that is known of a version, as plain values."""
    values = {key: _read(value) for key, value in record.model.tags.items()}
    metrics = {key: values[key] for key in values if _is_metric(values, key)}
    shown = {"parameters", *metrics, *(f"{key}{_INTERVAL}" for key in metrics)}
    return {
        "version": record.model.version,
        "aliases": list(record.aliases),
        "registered": _to_iso(record.model.made_ms),
        "in_production": [_describe_period(period) for period in record.periods],
        "metrics": {
            key: {"value": value, "interval_95": values.get(f"{key}{_INTERVAL}")}
            for key, value in sorted(metrics.items())
        },
        "parameters": values.get("parameters"),
        "tags": {
            key: value
            for key, value in sorted(values.items())
            if key not in shown and not key.startswith(_BY_MLFLOW)
        },
    }


def describe_entry(entry: LogEntry) -> Described:
    """Return an entry of the log of promotions as plain values."""
    return {
        "number": entry.number,
        "at": _to_iso(entry.at_ms),
        "action": entry.action,
        "version": entry.version,
        "former": entry.former or None,
        "by": entry.by,
        "why": entry.why,
        "state": entry.state,
    }


def compare_versions(first: VersionRecord, second: VersionRecord) -> Described:
    """Return what was measured of two versions side by side, and what else differs.

    Each was measured when it was made; whether on the same samples is said by `same_test_split`.
    `promote` lets both answer anew for the same samples.
    """
    one, other = describe_version(first), describe_version(second)
    split = [item["tags"].get("test_split_sha256") for item in (one, other)]
    keys = sorted(one["metrics"].keys() | other["metrics"].keys())
    return {
        "versions": [one["version"], other["version"]],
        "same_test_split": split[0] == split[1] and split[0] is not None,
        "metrics": {key: [one["metrics"].get(key), other["metrics"].get(key)] for key in keys},
        "differences": _differences(one, other),
    }


def _read(text: str) -> Any:
    """Return the value that a tag was made from: text stays text."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return text if isinstance(value, int) and not isinstance(value, bool) else value


def _is_metric(values: Described, key: str) -> bool:
    return isinstance(values[key], float) and not key.endswith(_INTERVAL)


def _describe_period(period: Period) -> Described:
    return {
        "from": _to_iso(period.from_ms),
        "to": None if period.to_ms is None else _to_iso(period.to_ms),
        "by": period.by,
        "why": period.why,
    }


def _differences(one: Described, other: Described) -> dict[str, list[Any]]:
    sides = [flatten(item["parameters"] or {}) | item["tags"] for item in (one, other)]
    return {
        key: [side.get(key) for side in sides]
        for key in sorted(sides[0].keys() | sides[1].keys())
        if sides[0].get(key) != sides[1].get(key) and not any(word in key for word in _IDENTITIES)
    }


def _to_iso(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
