"""`bukva job`: the main job, from data to a model in production, with its results as a table."""

from typing import Any, Final

import click

from bukva.commands.release import describe_installation, install_released
from bukva.commands.session import open_session

PARTS: Final = {
    "Data, training, evaluation, packaging": "__default__",
    "Promotion": "promotion",
}
"""Pipelines by title. `promotion` chooses among models of finished runs, so it is its own run."""


def _parse_params(context: click.Context, option: click.Parameter, text: str) -> dict[str, Any]:
    """Read parameters as `kedro run --params` does."""
    from omegaconf import OmegaConf

    items = [item.strip() for item in text.split(",") if item.strip()]
    if bad := [item for item in items if "=" not in item]:
        raise click.BadParameter(f"expected name=value, got {', '.join(bad)}", context, option)
    return dict(OmegaConf.to_container(OmegaConf.from_dotlist(items)))  # type: ignore[arg-type]


@click.command()
@click.option("--env", default="base", show_default=True, help="Folder of conf/ to run in.")
@click.option(
    "--params", default="", callback=_parse_params, help="finetuning.max_epochs=3,name=value,..."
)
def job(env: str, params: dict[str, Any]) -> None:
    """Run the main job: data, training, evaluation, packaging, promotion."""
    # First, so that evaluation compares with it where nothing else is in production.
    click.echo(describe_installation(install_released(env, params)))
    for title, pipeline in PARTS.items():
        click.secho(f"\n{title}", bold=True)
        session = open_session(env, params)
        session.run(pipeline_names=[pipeline])
        session.close()
    from bukva.commands.results import print_results

    context = open_session(env).load_context()
    storage = context.config_loader["globals"]["storage"]
    print_results(context.catalog, f"{storage['root']}/{storage['run']}08_reporting")
