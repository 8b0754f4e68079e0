"""`bukva model`: look at versions of the model, compare them, promote one, roll back."""

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click
from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from bukva.cli.options import ENV, TASK
from bukva.cli.session import connect_registry, open_session
from bukva.cli.tables import format_share, make_table, show
from bukva.core.parameters import flatten

if TYPE_CHECKING:
    from bukva.registry.history import Comparison, LogEntry, VersionHistory, VersionRecord

_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
# Accuracies of all test samples, by which versions are listed.
_HEADLINES: Final = {
    "label": ("all.label_accuracy", "all.accuracy"),
    "balanced": ("all.balanced_accuracy",),
    "both": ("all.letters.joint_accuracy",),
}
_Shown = TypeVar("_Shown", bound=BaseModel | Sequence[BaseModel])


@click.group()
def model() -> None:
    """Look at versions of the model, compare them, promote one, roll back."""


@model.command("show")
@click.argument("reference", default="prod", metavar="[prod|previous|candidate|VERSION]")
@TASK
@ENV
@_JSON
def show_command(reference: str, task: str, env: str, as_json: bool) -> None:
    """Show a version: what it is, how good, and when it was in production."""
    _print(_history(task, env).find(reference), print_version, as_json=as_json)


@model.command("list")
@TASK
@ENV
@_JSON
def list_command(task: str, env: str, as_json: bool) -> None:
    """List all versions, the last one first."""
    _print(_history(task, env).versions, print_versions, as_json=as_json)


@model.command()
@click.argument("first")
@click.argument("second")
@TASK
@ENV
@_JSON
def compare(first: str, second: str, task: str, env: str, as_json: bool) -> None:
    """Compare two versions, by number or alias: what was measured, and what differs."""
    from bukva.registry.history import compare_versions

    history = _history(task, env)
    compared = compare_versions(history.find(first), history.find(second))
    _print(compared, print_comparison, as_json=as_json)


@model.command()
@TASK
@ENV
@_JSON
def log(task: str, env: str, as_json: bool) -> None:
    """Show who put which version into production, when and why."""
    _print(_history(task, env).log, print_log, as_json=as_json)


@model.command()
@click.argument("reference", default="candidate", metavar="[candidate|VERSION]")
@click.option("--force", is_flag=True, help="Whatever the comparison with production says.")
@TASK
@ENV
def promote(reference: str, force: bool, task: str, env: str) -> None:
    """Put a version into production, if it is not worse than the one that is there.

    Both answer for the test samples of the environment.
    """
    from bukva.cli.results import describe_decision
    from bukva.core.evaluation.verdict import Decision

    namespace = "" if task == "glyph" else f"{task}."
    asked: dict[str, Any] = {"promotion": {"version": reference, "promote": True, "force": force}}
    session = open_session(env, {task: asked} if namespace else asked)
    session.run(pipeline_names=[f"{namespace}promotion"])
    session.close()
    loaded = open_session(env).load_context().catalog.load(f"{namespace}decision")
    decision = Decision.model_validate(loaded)
    click.echo(describe_decision(decision))
    if not (decision.is_promoted or decision.is_known):
        raise click.exceptions.Exit(1)


@model.command()
@click.option("--why", default="rolled back by hand", help="For the log of promotions.")
@TASK
@ENV
def rollback(why: str, task: str, env: str) -> None:
    """Put the version that was in production before back there; twice changes back again."""
    connect_registry(env)
    from bukva.registry.package_files import name_model
    from bukva.registry.production import roll_back

    version = roll_back(name_model(task), why)
    click.echo(f"Version {version} is in production again. Running services follow by themselves.")


def _history(task: str, env: str) -> "VersionHistory":
    connect_registry(env)
    from bukva.registry.history import read_history
    from bukva.registry.package_files import name_model

    return read_history(name_model(task))


def _print(content: _Shown, print_tables: Callable[[_Shown], None], *, as_json: bool) -> None:
    if as_json:
        click.echo(
            json.dumps(to_jsonable_python(content, by_alias=True), ensure_ascii=False, indent=2)
        )
    else:
        print_tables(content)


def print_version(record: "VersionRecord") -> None:
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


def print_versions(records: Sequence["VersionRecord"]) -> None:
    """Print a table of versions."""
    rows = []
    for record in records:
        said = record.model_dump()
        shares = [
            format_share(next((record.metrics[key] for key in keys if key in record.metrics), None))
            for keys in _HEADLINES.values()
        ]
        tested = ", ".join(record.tags.get("corpora", []))
        periods = "\n".join(map(_span, said["in_production"])) or "never"
        aliases = ", ".join(record.aliases)
        rows.append((record.version, aliases, said["registered"], *shares, tested, periods))
    columns = ("version", "aliases", "registered", *_HEADLINES, "tested on", "in production")
    title = "Versions; accuracies in % [95 % interval], each on its own test samples"
    show(make_table(title, columns, rows))


def print_comparison(compared: "Comparison") -> None:
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


def print_log(entries: Sequence["LogEntry"]) -> None:
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
