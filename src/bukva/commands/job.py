"""`bukva job`: the main job, from data to a model in production, with its results as a table."""

from typing import Any, Final

import click

from bukva.commands.options import ENV, PARAMS
from bukva.commands.release import describe_installation, install_released
from bukva.commands.session import open_session

PARTS: Final = {
    "Data, training, evaluation, packaging": "__default__",
    "Promotion": "promotion",
}
"""Pipelines by title. `promotion` chooses among models of finished runs, so it is its own run."""


@click.command()
@ENV
@PARAMS
def job(env: str, params: dict[str, Any]) -> None:
    """Run the main job: data, training, evaluation, packaging, promotion."""
    # First, so that promotion compares with it where nothing else is in production.
    click.echo(describe_installation(install_released(env, params)))
    run_parts(PARTS, env, params)
    from bukva.commands.results import print_results

    context = open_session(env).load_context()
    print_results(context.catalog, reports_folder(context))


def run_parts(parts: dict[str, str], env: str, params: dict[str, Any]) -> None:
    """Run pipelines, given by title, one after the other."""
    for title, pipeline in parts.items():
        click.secho(f"\n{title}", bold=True)
        session = open_session(env, params)
        session.run(pipeline_names=[pipeline])
        session.close()


def reports_folder(context: Any) -> str:
    """Return where the figures and reports of an environment lie."""
    storage = context.config_loader["globals"]["storage"]
    return f"{storage['root']}/{storage['run']}08_reporting"
