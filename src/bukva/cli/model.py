"""`bukva model`: look at versions of the model, compare them, promote one, roll back."""

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import click
from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from bukva.cli.options import ENV
from bukva.cli.session import connect_registry, open_session

if TYPE_CHECKING:
    from bukva.registry.history import VersionHistory

_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
_Shown = TypeVar("_Shown", bound=BaseModel | Sequence[BaseModel])


@click.group()
def model() -> None:
    """Look at versions of the model, compare them, promote one, roll back."""


@model.command()
@click.argument("reference", default="prod", metavar="[prod|previous|candidate|VERSION]")
@ENV
@_JSON
def show(reference: str, env: str, as_json: bool) -> None:
    """Show a version: what it is, how good, and when it was in production."""
    from bukva.cli.versions import print_version

    _print(_history(env).find(reference), print_version, as_json=as_json)


@model.command("list")
@ENV
@_JSON
def list_command(env: str, as_json: bool) -> None:
    """List all versions, the last one first."""
    from bukva.cli.versions import print_versions

    _print(_history(env).versions, print_versions, as_json=as_json)


@model.command()
@click.argument("first")
@click.argument("second")
@ENV
@_JSON
def compare(first: str, second: str, env: str, as_json: bool) -> None:
    """Compare two versions, by number or alias: what was measured, and what differs."""
    from bukva.cli.versions import print_comparison
    from bukva.registry.history import compare_versions

    history = _history(env)
    compared = compare_versions(history.find(first), history.find(second))
    _print(compared, print_comparison, as_json=as_json)


@model.command()
@ENV
@_JSON
def log(env: str, as_json: bool) -> None:
    """Show who put which version into production, when and why."""
    from bukva.cli.versions import print_log

    _print(_history(env).log, print_log, as_json=as_json)


@model.command()
@click.argument("reference", default="candidate", metavar="[candidate|VERSION]")
@click.option("--force", is_flag=True, help="Whatever the comparison with production says.")
@ENV
def promote(reference: str, force: bool, env: str) -> None:
    """Put a version into production, if it is not worse than the one that is there.

    Both answer for the test samples of the environment.
    """
    from bukva.cli.results import describe_decision
    from bukva.core.evaluation.verdict import Decision

    params = {"promotion": {"version": reference, "promote": True, "force": force}}
    session = open_session(env, params)
    session.run(pipeline_names=["promotion"])
    session.close()
    loaded = open_session(env).load_context().catalog.load("decision")
    decision = Decision.model_validate(loaded)
    click.echo(describe_decision(decision))
    if not (decision.is_promoted or decision.is_known):
        raise click.exceptions.Exit(1)


@model.command()
@click.option("--why", default="rolled back by hand", help="For the log of promotions.")
@ENV
def rollback(why: str, env: str) -> None:
    """Put the version that was in production before back there; twice changes back again."""
    connect_registry(env)
    from bukva.registry.names import MODEL_NAME
    from bukva.registry.production import roll_back

    version = roll_back(MODEL_NAME, why)
    click.echo(f"Version {version} is in production again. Running services follow by themselves.")


def _history(env: str) -> "VersionHistory":
    connect_registry(env)
    from bukva.registry.history import read_history
    from bukva.registry.names import MODEL_NAME

    return read_history(MODEL_NAME)


def _print(content: _Shown, print_tables: Callable[[_Shown], None], *, as_json: bool) -> None:
    if as_json:
        click.echo(
            json.dumps(to_jsonable_python(content, by_alias=True), ensure_ascii=False, indent=2)
        )
    else:
        print_tables(content)
