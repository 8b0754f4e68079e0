"""`bukva card`: the model card of a run, as a page of the docs."""

from pathlib import Path

import click

from bukva.cli.session import open_session


@click.command()
@click.option("--env", default="base", show_default=True, help="Environment of the run.")
@click.option(
    "--page",
    type=click.Path(path_type=Path),
    default=Path("docs/model_card.md"),
    show_default=True,
    help="Where to.",
)
def card(env: str, page: Path) -> None:
    """Copy the model card of the evaluation that ran last into the docs."""
    text = open_session(env).load_context().catalog.load("model_card")
    page.write_text(text, encoding="utf-8")
    click.echo(f"Wrote {page}: look at it before you publish it.")
