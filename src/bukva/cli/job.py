"""`bukva job`: the main job, from data to a model in production, with its results as a table."""

from typing import Any, Final

import click

from bukva.cli.options import ENV, PARAMS, TASK
from bukva.cli.release import describe_installation, install_released
from bukva.cli.session import open_session

PARTS: Final = {
    "Data, training, evaluation, packaging": "__default__",
    "Promotion": "promotion",
}
"""Pipelines by title. `promotion` chooses among models of finished runs, so it is its own run."""


@click.command()
@ENV
@PARAMS
@TASK
def job(env: str, params: dict[str, Any], task: str) -> None:
    """Run the main job: data, training, evaluation, packaging, promotion."""
    if task != "glyph":
        run_parts(dict(zip(PARTS, (task, f"{task}.promotion"), strict=True)), env, params)
        _print_outcome(task, open_session(env).load_context())
        return
    # First, so that promotion compares with it where nothing else is in production.
    click.echo(describe_installation(install_released(env, params)))
    run_parts(PARTS, env, params)
    from bukva.cli.results import print_results

    context = open_session(env).load_context()
    print_results(context.catalog, reports_folder(context))


def _print_outcome(task: str, context: Any) -> None:
    """Print the table of a task under a namespace, and what became of its model."""
    comparison, decision = (
        context.catalog.load(f"{task}.{name}") for name in ("comparison", "decision")
    )
    click.echo(f"\n{comparison.to_string(index=False)}\n")
    click.echo(f"Tables and results: {reports_folder(context)}/{task}/")
    if decision["is_promoted"]:
        click.echo(f"Model: put into production: {decision['reason']}.")
    else:
        click.echo(f"Model: registered, but not put into production: {decision['reason']}.")
    click.echo(f"Next: kedro run --pipeline={task}.promotion, or make viz ENV={context.env}.")


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
