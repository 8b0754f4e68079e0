"""Versions of the model, and what became of them, as tables."""

import json
from collections.abc import Sequence
from typing import Any, Final

from bukva.cli.tables import format_share, make_table, show
from bukva.core.parameters import flatten
from bukva.registry.history import Comparison, LogEntry, VersionRecord

# Accuracies of all test samples, by which versions are listed.
_HEADLINES: Final = {"label": "all.label_accuracy", "both": "all.letters.joint_accuracy"}


def print_version(record: VersionRecord) -> None:
    """Print all that is known of a version."""
    said = record.model_dump()
    aliases = f" ({', '.join(record.aliases)})" if record.aliases else ""
    show(f"[bold]Version {record.version}{aliases}[/], {said['registered']}")
    for period in said["in_production"]:
        show(f"In production {_span(period)}, {period['by']}: {period['why']}")
    if not record.in_production:
        show("Never in production.")
    measured = [(key, format_share(metric)) for key, metric in record.metrics.items()]
    show(
        make_table(
            "Measured when it was made", ("measure", "% [95 %]"), measured, are_numbers=True
        ),
        make_table("Tags", ("name", "value"), _pairs(record.tags)),
        make_table("Parameters", ("name", "value"), _pairs(flatten(record.parameters or {}))),
    )


def print_versions(records: Sequence[VersionRecord]) -> None:
    """Print a table of versions."""
    rows = []
    for record in records:
        said = record.model_dump()
        shares = [format_share(record.metrics.get(key)) for key in _HEADLINES.values()]
        tested = ", ".join(record.tags.get("corpora", []))
        periods = "\n".join(map(_span, said["in_production"])) or "never"
        aliases = ", ".join(record.aliases)
        rows.append((record.version, aliases, said["registered"], *shares, tested, periods))
    columns = ("version", "aliases", "registered", *_HEADLINES, "tested on", "in production")
    title = "Versions; accuracies in % [95 % interval], each on its own test samples"
    show(make_table(title, columns, rows))


def print_comparison(compared: Comparison) -> None:
    """Print two versions side by side."""
    names = [f"version {number}" for number in compared.versions]
    measured = [(key, *map(format_share, pair)) for key, pair in compared.metrics.items()]
    show(
        make_table("Measured when each was made, % [95 % interval]", ("measure", *names), measured)
    )
    if not compared.same_test_split:
        show("[bold]Not on the same test samples[/]: do not compare these numbers.")
    differences = [
        (key, *("-" if value is None else _text(value) for value in pair))
        for key, pair in compared.differences.items()
    ]
    show(make_table("What else differs", ("name", *names), differences))


def print_log(entries: Sequence[LogEntry]) -> None:
    """Print the log of promotions."""
    columns = {
        "at": "at", "action": "action", "version": "version", "former": "instead of",
        "state": "how it ended", "by": "by", "why": "why",
    }  # fmt: skip
    rows = [[entry.model_dump()[key] or "none" for key in columns] for entry in entries]
    show(make_table("Changes of what is in production", list(columns.values()), rows))


def _pairs(values: dict[str, Any]) -> list[tuple[str, str]]:
    return [(key, _text(value)) for key, value in values.items()]


def _span(period: dict[str, Any]) -> str:
    return f"{period['start']} to {period['to'] or 'now'}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
