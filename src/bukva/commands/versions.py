"""Versions of the model, and what became of them, as tables and as plain values."""

import json
from datetime import UTC, datetime
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from bukva.model_registry.history import Period, VersionRecord
from bukva.model_registry.promotion_log import LogEntry

Described = dict[str, Any]

# Accuracies of all test samples, by which versions are listed.
_HEADLINES: Final = {"label": "all.label_accuracy", "both": "all.letters.joint_accuracy"}
# Digests and the like: `show` prints them in full, a comparison has no use for them.
_IDENTITIES: Final = ("_sha256", "_signature", "fingerprint", "git_revision", "promoted_", "status")
_INTERVAL: Final = ".ci95"
_BY_MLFLOW: Final = "mlflow."
_NARROWEST_COLUMNS: Final = 100


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


def print_version(record: VersionRecord) -> None:
    """Print all that is known of a version."""
    described, console = describe_version(record), _console()
    aliases = f" ({', '.join(described['aliases'])})" if described["aliases"] else ""
    console.print(f"[bold]Version {described['version']}{aliases}[/], {described['registered']}")
    for period in described["in_production"]:
        until = period["to"] or "now"
        console.print(f"In production {period['from']} to {until}, {period['by']}: {period['why']}")
    if not described["in_production"]:
        console.print("Never in production.")
    console.print(_metrics_table(described["metrics"]))
    console.print(_pairs_table("Tags", described["tags"]))
    console.print(_pairs_table("Parameters", _flatten(described["parameters"] or {})))


def print_versions(records: tuple[VersionRecord, ...]) -> None:
    """Print a table of versions."""
    table = Table(title="Versions; accuracies in % [95 % interval], each on its own test samples")
    for title in ("version", "aliases", "registered", *_HEADLINES, "tested on", "in production"):
        table.add_column(title)
    for record in records:
        described = describe_version(record)
        shares = [_share(described["metrics"].get(key)) for key in _HEADLINES.values()]
        tested = ", ".join(described["tags"].get("corpora", []))
        periods = "\n".join(_span(period) for period in described["in_production"]) or "never"
        aliases = ", ".join(described["aliases"])
        table.add_row(
            described["version"], aliases, described["registered"], *shares, tested, periods
        )
    _console().print(table)


def print_comparison(compared: Described) -> None:
    """Print two versions side by side."""
    console, names = _console(), [f"version {number}" for number in compared["versions"]]
    table = Table(title="Measured when each was made, % [95 % interval]")
    for title in ("measure", *names):
        table.add_column(title)
    for key, pair in compared["metrics"].items():
        table.add_row(key, *(_share(value) for value in pair))
    console.print(table)
    if not compared["same_test_split"]:
        console.print("[bold]Not on the same test samples[/]: do not compare these numbers.")
    differences = Table(title="What else differs")
    for title in ("name", *names):
        differences.add_column(title, overflow="fold")
    for key, pair in compared["differences"].items():
        differences.add_row(key, *("-" if value is None else _text(value) for value in pair))
    console.print(differences)


def print_log(entries: tuple[LogEntry, ...]) -> None:
    """Print the log of promotions."""
    table = Table(title="Changes of what is in production")
    for title in ("at", "action", "version", "instead of", "how it ended", "by", "why"):
        table.add_column(title, overflow="fold")
    for entry in map(describe_entry, entries):
        former = entry["former"] or "none"
        table.add_row(
            entry["at"], entry["action"], entry["version"], former, entry["state"], entry["by"],
            entry["why"],
        )  # fmt: skip
    _console().print(table)


def _console() -> Console:
    console = Console()
    console.width = max(console.width, _NARROWEST_COLUMNS)
    return console


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
    sides = [_flatten(item["parameters"] or {}) | item["tags"] for item in (one, other)]
    return {
        key: [side.get(key) for side in sides]
        for key in sorted(sides[0].keys() | sides[1].keys())
        if sides[0].get(key) != sides[1].get(key) and not any(word in key for word in _IDENTITIES)
    }


def _flatten(values: Described) -> Described:
    from bukva.parameters import flatten

    return flatten(values)


def _metrics_table(metrics: Described) -> Table:
    table = Table(title="Measured when it was made, % [95 % interval]")
    table.add_column("measure")
    table.add_column("", justify="right")
    for key, value in metrics.items():
        table.add_row(key, _share(value))
    return table


def _pairs_table(title: str, pairs: Described) -> Table:
    table = Table(title=title, show_header=False)
    table.add_column("name")
    table.add_column("value", overflow="fold")
    for key, value in pairs.items():
        table.add_row(key, _text(value))
    return table


def _share(metric: Described | None) -> str:
    if metric is None:
        return "-"
    value = f"{100 * metric['value']:.1f}"
    if metric["interval_95"] is None:
        return value
    low, high = metric["interval_95"]
    return f"{value} [{100 * low:.1f}, {100 * high:.1f}]"


def _span(period: Described) -> str:
    return f"{period['from']} to {period['to'] or 'now'}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _to_iso(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
