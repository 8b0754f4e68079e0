"""`bukva dags`: the stages as DAGs of Airflow, written by kedro-airflow."""

import re
import sys
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import click
import yaml
from pydantic import AfterValidator, Field, ValidationError

from bukva.core.parameters import Count, Group, Positive
from bukva.errors import ParameterError
from bukva.pipelines.parameters import describe_fault

if TYPE_CHECKING:
    from kedro.pipeline import Pipeline

TEMPLATE: Final = "conf/airflow_dags.py.j2"
_LONGEST_NAME: Final = 250
_PRESETS: Final = (
    "@once", "@continuous", "@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@quarterly",
    "@yearly", "@annually",
)  # fmt: skip
_RANGES: Final = {
    "minute": (0, 59), "hour": (0, 23), "day": (1, 31), "month": (1, 12), "weekday": (0, 7),
}  # fmt: skip
_NAMES: Final = {
    "month": "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec",
    "weekday": "sun|mon|tue|wed|thu|fri|sat",
}
_NTH: Final = rf"([0-7]|{_NAMES['weekday']})#[1-5]"
# The workday that is nearest; the last Fridays, or second ones.
_ALONE: Final = {
    "day": r"\?|([1-9]|[12]\d|3[01])w",
    "weekday": rf"\?|l[0-7](,l[0-7])*|{_NTH}(,{_NTH})*",
}
_LAST_DAY: Final = r"(([1-9]|[12]\d|3[01])-)?l"


def _check_name(name: str) -> str:
    """Return a name that Airflow takes; what has parameters has a file of this name, too."""
    if not re.fullmatch(r"[\w.-]+", name):
        raise ValueError("expected letters, digits, '-', '.' and '_' alone")
    if len(name.encode()) > _LONGEST_NAME:
        raise ValueError(f"expected at most {_LONGEST_NAME} bytes, got {len(name.encode())}")
    return name


def _check_schedule(schedule: str) -> str:
    """Return a preset of Airflow, or a cron expression that its parser takes."""
    if schedule in _PRESETS:
        return schedule
    fields = schedule.split()
    if schedule.startswith("@") or len(fields) != len(_RANGES):
        presets = ", ".join(_PRESETS)
        raise ValueError(f"expected a cron expression of five fields, or one of {presets}")
    bad = [
        f"{unit} {_RANGES[unit][0]}-{_RANGES[unit][1]} instead of {text!r}"
        for unit, text in zip(_RANGES, fields, strict=True)
        if not re.fullmatch(_ALONE.get(unit, "(?!)"), text.lower())
        and not all(_is_part(part, unit) for part in text.lower().split(","))
    ]
    if bad:
        raise ValueError(f"expected a cron expression with {', '.join(bad)}")
    return schedule


def _is_part(part: str, unit: str) -> bool:
    """Return whether it is a value, a range or a star, with a step or none; or the last day."""
    if unit == "day" and re.fullmatch(_LAST_DAY, part):
        return True
    value = rf"\d+|{_NAMES[unit]}" if unit in _NAMES else r"\d+"
    found = re.fullmatch(rf"(?:\*|({value})(?:-({value}))?)(?:/(\d+))?", part, re.ASCII)
    if not found:
        return False
    *ends, step = found.groups()
    low, high = _RANGES[unit]
    numbers = [int(end) for end in ends if end and end.isdigit()]
    return all(low <= number <= high for number in numbers) and (not step or int(step) > 0)


class Dag(Group):
    """One DAG: a chain of stages.

    Attributes:
        description: What Airflow's page says of it.
        schedule: A cron expression or preset; None: it is started by hand.
        stages: Registered pipelines, in their order.
        params: Over those of the environment, for every stage.
    """

    description: str
    schedule: Annotated[str, AfterValidator(_check_schedule)] | None
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
    dags: Annotated[dict[Annotated[str, AfterValidator(_check_name)], Dag], Field(min_length=1)]


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
