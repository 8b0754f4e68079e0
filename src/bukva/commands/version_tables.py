"""Versions of the model, and what became of them, as tables."""

import json
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from bukva.commands.versions import Described, describe_entry, describe_version
from bukva.model_registry.history import VersionRecord
from bukva.model_registry.promotion_log import LogEntry
from bukva.parameters import flatten

# Accuracies of all test samples, by which versions are listed.
_HEADLINES: Final = {"label": "all.label_accuracy", "both": "all.letters.joint_accuracy"}
_NARROWEST_COLUMNS: Final = 100


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
    console.print(_pairs_table("Parameters", flatten(described["parameters"] or {})))


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
