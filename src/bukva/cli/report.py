"""`bukva report`: one HTML page about the last run, to send to somebody."""

import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from bukva import __version__
from bukva.cli.options import ENV
from bukva.cli.session import open_session

GROUPS: Final = {
    "embedded", "data_processing", "mnist_pretraining", "finetuning", "evaluation", "packaging",
    "promotion",
}  # fmt: skip
"""Parameters of the main job; the other groups belong to runs that the page does not tell of."""


@click.command()
@ENV
@click.option(
    "--to",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("build/report.html"),
    show_default=True,
    help="Where to.",
)
def report(env: str, to: Path) -> None:
    """Put what the last run of each stage made and measured into one HTML file."""
    context = open_session(env).load_context()
    from bukva.cli.report_page.page import write_page
    from bukva.core.parameters import flatten
    from bukva.pipelines.parameters import validate_parameters
    from bukva.registry.revision import git_revision

    catalog = context.catalog

    def load(name: str) -> Any:
        return catalog.load(name) if catalog.exists(name) else None

    facts = {
        "written": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "environment": env,
        "git revision": git_revision(),
        "bukva": __version__,
        "Python": platform.python_version(),
    }
    groups = validate_parameters(context.config_loader["parameters"]).model_dump(include=GROUPS)
    page = write_page(load, facts, flatten(groups), env)
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_text(page, encoding="utf-8")
    click.echo(f"Wrote {to} ({len(page.encode()) / 1e6:.1f} MB): one file, open it in a browser.")
