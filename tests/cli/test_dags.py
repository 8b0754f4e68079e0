"""The command `bukva dags`: what a schedule may say, and that every fault of it is named."""

import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from command_checks import kedro_cli
from docs_commands import read_blocks
from kedro_project import ENVIRONMENTS, PROJECT, load_config
from schedules import NAMES_REFUSED, NAMES_TAKEN, REFUSED, TAKEN

from bukva.cli.dags import check_stages, read_schedule, write_params
from bukva.errors import ParameterError
from bukva.pipeline_registry import register_pipelines

STAGES = ["data_processing", "mnist_pretraining", "finetuning"]


def schedule(**differences: Any) -> dict[str, Any]:
    dag = {"description": "a chain", "schedule": "0 2 * * 6", "stages": STAGES, **differences}
    return {
        "start_date": "2026-01-01",
        "retries": 1,
        "retry_delay_s": 60,
        "stage_timeout_h": 1,
        "dags": {"chain": dag},
    }


def check(stages: list[str]) -> None:
    check_stages(read_schedule(schedule(stages=stages)), register_pipelines())


def test_a_schedule_is_read() -> None:
    read = read_schedule(schedule(params={"finetuning": {"max_epochs": 3}}))
    assert read.start_date == date(2026, 1, 1)
    assert read.dags["chain"].params == {"finetuning": {"max_epochs": 3}}


def test_parameters_are_written_as_kedro_run_takes_them(tmp_path: Path) -> None:
    params = {"finetuning": {"max_epochs": 3, "corpora": {"strokes": 1.0}}}
    write_params(read_schedule(schedule(params=params)), tmp_path)
    given = ["--pipeline=finetuning", f"--config={tmp_path / 'chain.yml'}"]
    context = click.Context(kedro_cli())
    command = kedro_cli().get_command(context, "run")
    assert command is not None
    assert command.make_context("run", given).params["params"] == params


def test_all_faults_of_a_schedule_are_named() -> None:
    broken = schedule(schedule="each sunday", stages=[]) | {"retries": -1, "queue": "gpu"}
    with pytest.raises(ParameterError) as raised:
        read_schedule(broken)
    message = str(raised.value)
    assert all(
        name in message for name in ("retries", "queue", "dags.chain.schedule", "dags.chain.stages")
    )


def test_what_airflow_refuses_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    shutil.copytree(PROJECT / "conf", tmp_path / "conf")
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "bukva").symlink_to(PROJECT / "src" / "bukva")
    stages = {"description": "a chain", "stages": STAGES}
    schedules = {
        "щоденно читати": "61 25 * * 9",
        "n" * 251: "@daily",
        "four_fields": "0 2 * *",
        "fortnightly": "@fortnightly",
        "../elsewhere": None,
        "fine.and-well_1": None,
    }
    given = {name: stages | {"schedule": schedule} for name, schedule in schedules.items()}
    content = {"default": schedule() | {"dags": given}}
    (tmp_path / "conf" / "base" / "airflow.yml").write_text(yaml.safe_dump(content))
    command = [sys.executable, "-m", "bukva", "dags", "--to=dags"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert not (tmp_path / "dags").exists()
    message = done.stderr[done.stderr.index("ParameterError") :]
    assert message.count("\n  - ") == 6
    for words in (
        "dags.щоденно читати.[key]: Value error, expected letters, digits",
        "minute 0-59 instead of '61', hour 0-23 instead of '25', weekday 0-7 instead of '9'",
        f"dags.{'n' * 251}.[key]: Value error, expected at most 250 bytes, got 251",
        "dags.four_fields.schedule: Value error, expected a cron expression of five fields",
        "dags.fortnightly.schedule: Value error, expected a cron expression of five fields",
        "dags.../elsewhere.[key]: Value error, expected letters, digits",
    ):
        assert words in message


@pytest.mark.parametrize("cron", TAKEN)
def test_what_airflow_takes_is_taken(cron: str | None) -> None:
    assert read_schedule(schedule(schedule=cron)).dags["chain"].schedule == cron


@pytest.mark.parametrize("cron", [*REFUSED, "* * * * * *"])
def test_what_airflow_does_not_take_is_not_taken(cron: str) -> None:
    with pytest.raises(ParameterError, match=r"dags\.chain\.schedule"):
        read_schedule(schedule(schedule=cron))


def test_names_are_taken_as_airflow_takes_them() -> None:
    def named(name: str) -> dict[str, Any]:
        return schedule() | {"dags": {name: schedule()["dags"]["chain"]}}

    assert all(name in read_schedule(named(name)).dags for name in NAMES_TAKEN)
    for name in NAMES_REFUSED:
        with pytest.raises(ParameterError, match=r"\[key\]: Value error, expected"):
            read_schedule(named(name))


def test_stages_in_their_order_are_fine() -> None:
    check(STAGES)
    # What an earlier run left is taken.
    check(["finetuning", "evaluation"])


@pytest.mark.parametrize(
    ("stages", "fault"),
    [
        (["data_processing", "finetunning"], "got 'finetunning'"),
        (["data_processing", "evaluation", "data_processing"], "got 'data_processing' again"),
        (
            ["finetuning", "mnist_pretraining"],
            "expected mnist_pretraining.model to be made before 'finetuning'",
        ),
    ],
)
def test_stages_that_cannot_run_are_named(stages: list[str], fault: str) -> None:
    with pytest.raises(ParameterError, match="chain") as raised:
        check(stages)
    assert fault in str(raised.value)


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_the_schedule_of_each_environment_can_run(env: str) -> None:
    read = read_schedule(load_config(env)["airflow"]["default"])
    check_stages(read, register_pipelines())


def test_the_main_job_is_one_of_them() -> None:
    stages = read_schedule(load_config("base")["airflow"]["default"]).dags["bukva_training"].stages
    assert stages == [*STAGES, "evaluation", "packaging", "promotion"]


def test_the_example_of_the_docs_can_run() -> None:
    page = PROJECT / "docs" / "how_to" / "schedule.md"
    [example] = [block.text for block in read_blocks([page]) if block.language == "yaml"]
    check_stages(
        read_schedule(schedule() | {"dags": yaml.safe_load(example)}), register_pipelines()
    )


@pytest.mark.parametrize("env", ["base", "test", "real", "s3", "prod"])
def test_retraining_reads_what_the_environment_does_and_corrections(env: str) -> None:
    config = load_config(env)
    retraining = read_schedule(config["airflow"]["default"]).dags["bukva_retraining"]
    read = retraining.params["data_processing"]["corpora"]
    assert read == [*config["globals"]["corpora"], "feedback"]
    assert retraining.params["promotion"] == {"promote": False}
