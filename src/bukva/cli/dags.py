"""`bukva dags`: the stages as DAGs of Airflow, written by kedro-airflow."""

import sys
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import click
import yaml
from pydantic import Field, ValidationError

from bukva.core.parameters import Count, Group, Positive
from bukva.errors import ParameterError
from bukva.pipelines.parameters import describe_fault

if TYPE_CHECKING:
    from kedro.pipeline import Pipeline

TEMPLATE: Final = "conf/airflow_dags.py.j2"
_CRON = r"^(@(once|hourly|daily|weekly|monthly|yearly|continuous)|\S+( \S+){4})$"


class Dag(Group):
    """One DAG: a chain of stages.

    Attributes:
        description: What Airflow's page says of it.
        schedule: A cron expression or preset; None: it is started by hand.
        stages: Registered pipelines, in their order.
        params: Over those of the environment, for every stage.
    """

    description: str
    schedule: Annotated[str, Field(pattern=_CRON)] | None
    stages: Annotated[list[str], Field(min_length=1)]
    params: dict[str, Any] = Field(default_factory=dict)


class Schedule(Group):
    """What `conf/*/airflow.yml` holds below `default`.

    Attributes:
        start_date: The first day that Airflow looks at; what lies before now is not made up for.
        retries: How often a stage that failed is tried again; a training goes on where it was.
        retry_delay_s: Seconds before that.
        stage_timeout_h: Hours after which a stage is stopped, and counts as failed.
        dags: By name.
    """

    start_date: date
    retries: Annotated[int, Field(ge=0)]
    retry_delay_s: Count
    stage_timeout_h: Positive
    dags: Annotated[dict[str, Dag], Field(min_length=1)]


@click.command()
@click.option("--env", default="base", show_default=True, help="Folder of conf/ to run in.")
@click.option("--to", default="build/dags", show_default=True, help="Folder of the DAGs.")
def dags(env: str, to: str) -> None:
    """Write the DAGs of `conf/*/airflow.yml` for Airflow 3, once they are found to be right."""
    from bukva.cli.session import open_project, open_session
    from bukva.pipeline_registry import register_pipelines

    conf = open_session(env).load_context().config_loader
    schedule = read_schedule(conf["airflow"]["default"])
    check_stages(schedule, register_pipelines())
    for dag in schedule.dags.values():
        if dag.params:
            open_session(env, dag.params).load_context()  # which checks parameters
    _have_written(open_project(), env, to)
    write_params(schedule, Path(to))
    click.echo(f"DAGs for {env}: {to}")


def write_params(schedule: Schedule, folder: Path) -> None:
    """Write the parameters of each DAG that has any as `kedro run --config` takes them."""
    for name, dag in schedule.dags.items():
        if dag.params:
            text = yaml.safe_dump({"run": {"params": dag.params}}, allow_unicode=True)
            (folder / f"{name}.yml").write_text(text, encoding="utf-8")


def read_schedule(content: Mapping[str, Any]) -> Schedule:
    """Return what a file says, checked.

    Raises:
        ParameterError: If anything is missing, unknown or out of range; lists all of it.
    """
    try:
        return Schedule.model_validate(content)
    except ValidationError as error:
        faults = "\n".join(describe_fault(fault) for fault in error.errors())
        raise ParameterError(
            f"Expected a schedule in conf/*/airflow.yml, got:\n{faults}"
        ) from error


def check_stages(schedule: Schedule, pipelines: Mapping[str, "Pipeline"]) -> None:
    """Return if every stage is a pipeline, stands once, and needs nothing that comes after it.

    Raises:
        ParameterError: If not; lists all faults.
    """
    faults = [
        f"  - {name}: {fault}"
        for name, dag in schedule.dags.items()
        for fault in _faults_of(dag.stages, pipelines)
    ]
    if faults:
        raise ParameterError("\n".join(["Bad stages in conf/*/airflow.yml:", *faults]))


def _faults_of(stages: list[str], pipelines: Mapping[str, "Pipeline"]) -> Iterator[str]:
    known = [stage for stage in stages if stage in pipelines]
    for place, stage in enumerate(stages):
        if stage not in pipelines:
            yield f"expected one of {', '.join(pipelines)}, got {stage!r}"
        elif stage in stages[:place]:
            yield f"expected each stage once, got {stage!r} again"
        else:
            later = known[known.index(stage) + 1 :]
            made = {item for name in later for item in pipelines[name].all_outputs()}
            if late := sorted(pipelines[stage].inputs() & made):
                yield f"expected {', '.join(late)} to be made before {stage!r}, not after it"


def _have_written(project: Path, env: str, to: str) -> None:
    """Call kedro-airflow as its command line does."""
    from kedro.framework.startup import bootstrap_project
    from kedro_airflow.plugin import create

    here = {"project": project, "python": Path(sys.executable).absolute()}
    create.main(
        [
            f"--env={env}",
            f"--target-dir={to}",
            f"--jinja-file={project / TEMPLATE}",
            "--params=" + ",".join(f"{name}={path}" for name, path in here.items()),
        ],
        obj=bootstrap_project(project),
        standalone_mode=False,
    )
