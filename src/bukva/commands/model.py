"""`bukva model`: look at versions of the model, compare them, promote one, roll back."""

import json
from typing import TYPE_CHECKING, Any

import click

from bukva.commands.options import ENV
from bukva.commands.session import connect_registry, open_session

if TYPE_CHECKING:
    from bukva.model_registry.history import VersionHistory

_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")


@click.group()
def model() -> None:
    """Look at versions of the model, compare them, promote one, roll back."""


@model.command()
@click.argument("reference", default="prod", metavar="[prod|previous|candidate|VERSION]")
@ENV
@_JSON
def show(reference: str, env: str, as_json: bool) -> None:
    """Show a version: what it is, how good, and when it was in production."""
    from bukva.commands.version_tables import print_version
    from bukva.commands.versions import describe_version

    found = _history(env).find(reference)
    if as_json:
        click.echo(_to_json(describe_version(found)))
    else:
        print_version(found)


@model.command("list")
@ENV
@_JSON
def list_command(env: str, as_json: bool) -> None:
    """List all versions, the last one first."""
    from bukva.commands.version_tables import print_versions
    from bukva.commands.versions import describe_version

    found = _history(env).versions
    if as_json:
        click.echo(_to_json([describe_version(item) for item in found]))
    else:
        print_versions(found)


@model.command()
@click.argument("first")
@click.argument("second")
@ENV
@_JSON
def compare(first: str, second: str, env: str, as_json: bool) -> None:
    """Compare two versions, by number or alias: what was measured, and what differs."""
    from bukva.commands.version_tables import print_comparison
    from bukva.commands.versions import compare_versions

    history = _history(env)
    compared = compare_versions(history.find(first), history.find(second))
    if as_json:
        click.echo(_to_json(compared))
    else:
        print_comparison(compared)


@model.command()
@ENV
@_JSON
def log(env: str, as_json: bool) -> None:
    """Show who put which version into production, when and why."""
    from bukva.commands.version_tables import print_log
    from bukva.commands.versions import describe_entry

    entries = _history(env).log
    if as_json:
        click.echo(_to_json([describe_entry(entry) for entry in entries]))
    else:
        print_log(entries)


@model.command()
@click.argument("reference", default="candidate", metavar="[candidate|VERSION]")
@click.option("--force", is_flag=True, help="Whatever the comparison with production says.")
@ENV
def promote(reference: str, force: bool, env: str) -> None:
    """Put a version into production, if it is not worse than the one that is there.

    Both answer for the test samples of the environment.
    """
    from bukva.commands.results import describe_decision

    params = {"promotion": {"version": reference, "promote": True, "force": force}}
    session = open_session(env, params)
    session.run(pipeline_names=["promotion"])
    session.close()
    decision = open_session(env).load_context().catalog.load("decision")
    click.echo(describe_decision(decision))
    if not (decision["is_promoted"] or decision["is_known"]):
        raise click.exceptions.Exit(1)


@model.command()
@click.option("--why", default="rolled back by hand", help="For the log of promotions.")
@ENV
def rollback(why: str, env: str) -> None:
    """Put the version that was in production before back there; twice changes back again."""
    connect_registry(env)
    from bukva.model_registry.names import MODEL_NAME
    from bukva.model_registry.production import roll_back

    version = roll_back(MODEL_NAME, why)
    click.echo(f"Version {version} is in production again. Running services follow by themselves.")


def _history(env: str) -> "VersionHistory":
    connect_registry(env)
    from bukva.model_registry.history import read_history
    from bukva.model_registry.names import MODEL_NAME

    return read_history(MODEL_NAME)


def _to_json(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, indent=2)
