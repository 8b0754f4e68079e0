"""`bukva review`: the page on which doubtful corrections are decided; or Label Studio for it."""

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bukva.cli.options import ENV
from bukva.errors import CorpusMissingError

if TYPE_CHECKING:
    import pandas as pd

    from bukva.datasets.feedback import DecisionsDataset

_FILE = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))


@click.group(invoke_without_command=True)
@ENV
@click.option("--port", default=8020, show_default=True, help="Port of 127.0.0.1.")
@click.option("--reviewer", help="Whose name decisions bear; by default the user's.")
@click.pass_context
def review(context: click.Context, env: str, port: int, reviewer: str | None) -> None:
    """Open the page on which doubtful corrections are decided."""
    if context.invoked_subcommand:
        return
    import uvicorn

    from bukva.cli.review_page.app import HOST, create_app

    table, decisions = _open_review(env)
    app = create_app(table, decisions, reviewer or getpass.getuser())
    click.echo(f"{len(table)} drawings to review: http://{HOST}:{port}. Ctrl+C ends it.")
    uvicorn.run(app, host=HOST, port=port, log_level="warning")


@review.command("export")
@ENV
@_FILE
def export_tasks(env: str, file: Path) -> None:
    """Write the drawings under review to FILE, as tasks for Label Studio."""
    from bukva.tasks.glyph.feedback.decisions import write_tasks

    table, _ = _open_review(env)
    file.write_bytes(write_tasks(table))
    click.echo(f"Wrote {len(table)} tasks to {file}.")


@review.command("import")
@ENV
@_FILE
def import_annotations(env: str, file: Path) -> None:
    """Take decisions from FILE, a JSON export of Label Studio, where there is no newer one."""
    from bukva.tasks.glyph.feedback.decisions import newer_than, read_annotations

    _, decisions = _open_review(env)
    kept, (read, foreign) = decisions.load(), read_annotations(file.read_bytes())
    taken = newer_than(kept, read)
    decisions.save(kept | taken)
    click.echo(f"Took {len(taken)} decisions from {file}.")
    if older := len(read) - len(taken):
        click.echo(f"Left {older} as they were decided here at the same time or later.")
    if foreign:
        click.echo(f"Passed over {foreign} tasks of another project.")


def _open_review(env: str) -> "tuple[pd.DataFrame, DecisionsDataset]":
    """Return what was set aside, and where decisions are kept.

    Raises:
        CorpusMissingError: If `feedback_ingestion` never ran.
    """
    from bukva.cli.session import open_session

    catalog: Any = open_session(env).load_context().catalog
    if not catalog.exists("feedback_review"):
        raise CorpusMissingError(
            "Expected drawings to review, found none. Set them aside first: "
            f"kedro run --pipeline=feedback_ingestion --env={env}"
        )
    return catalog.load("feedback_review"), catalog.get("feedback_decisions")
