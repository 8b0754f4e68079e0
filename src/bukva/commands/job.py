"""`bukva job`: the main job, from data to a model in production, with its results as a table."""

import logging
import os
from pathlib import Path
from typing import Any, Final

import click

from bukva.errors import ParameterError

PARTS: Final = {
    "Data, training, evaluation": "__default__",
    "Packaging": "packaging",
    "Promotion": "promotion",
}
"""Pipelines by title. `packaging` must run alone, or kedro-mlflow does not log its model."""

_LOGGING_CONFIG: Final = "conf/logging_job.yml"


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
    project = Path.cwd()
    if not (project / _LOGGING_CONFIG).is_file():
        message = f"Expected {_LOGGING_CONFIG} in {project}: run from the project's root."
        raise ParameterError(message)
    # Read when kedro is imported.
    os.environ.setdefault("KEDRO_LOGGING_CONFIG", _LOGGING_CONFIG)
    # A bar for one small file.
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    from kedro.framework.session import KedroSession
    from kedro.framework.startup import bootstrap_project

    from bukva.commands.results import print_results

    bootstrap_project(project)
    for title, pipeline in PARTS.items():
        click.secho(f"\n{title}", bold=True)
        session = KedroSession.create(project, env=env, runtime_params=params)
        # kedro-mlflow sets its own level when it is imported, over what the file says.
        logging.getLogger("kedro_mlflow").setLevel(logging.WARNING)
        session.run(pipeline_names=[pipeline])
        session.close()
    session = KedroSession.create(project, env=env)
    context = session.load_context()
    storage = context.config_loader["globals"]["storage"]
    print_results(context.catalog, f"{storage['root']}/{storage['run']}08_reporting")
