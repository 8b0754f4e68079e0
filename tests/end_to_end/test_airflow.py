"""The DAGs as Airflow sees them: read by its own DagBag, one task executed by its own operator.

Airflow is made an environment of its own, in build/airflow, as it has one where it runs.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from kedro_project import PROJECT, load_config, storage_at
from schedules import NAMES_REFUSED, NAMES_TAKEN, REFUSED, TAKEN

from bukva.__main__ import bukva
from bukva.cli.dags import Schedule, read_schedule

HERE = Path(__file__).parent
REQUIREMENTS = HERE / "airflow_requirements.txt"
ASK = PROJECT / "tests" / "helpers" / "ask_airflow.py"
HOME = PROJECT / "build" / "airflow"
UNREACHABLE = re.compile(r"(?i)failed to (fetch|send|connect)|error sending request|network|dns")


@pytest.fixture(scope="module")
def airflow() -> Path:
    """The interpreter of an environment with the pinned Airflow; made once, kept in build/."""
    python = HOME / "bin" / "python"
    stamp = HOME / "installed"
    pinned = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if not (stamp.is_file() and stamp.read_text() == pinned):
        shutil.rmtree(HOME, ignore_errors=True)
        run_uv("venv", "--quiet", f"--python={sys.executable}", HOME)
        run_uv("pip", "install", "--quiet", "--no-deps", f"--python={python}", "-r", REQUIREMENTS)
        stamp.write_text(pinned)
    return python


def run_uv(*arguments: str | Path) -> None:
    environment = {"UV_SYSTEM_CERTS": "true", **os.environ}
    done = subprocess.run(
        [sys.executable, "-m", "uv", *arguments],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode and UNREACHABLE.search(done.stderr):
        pytest.skip("no package index can be reached, and Airflow was not installed before")
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def dags_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dags")
    with storage_at(tmp_path_factory.mktemp("storage")):
        arguments = ["dags", "--env=test", f"--to={folder}"]
        done = CliRunner().invoke(bukva, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return folder


@pytest.fixture
def ask(airflow: Path, dags_folder: Path, tmp_path: Path) -> Any:
    """Return a function that has Airflow read the DAGs, and execute a task of one."""

    def ask(*task: str, **variables: str) -> Any:
        home = {"AIRFLOW_HOME": str(tmp_path / "airflow"), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
        subprocess.run(
            [airflow, ASK, dags_folder, tmp_path / "answer.json", *task],
            env=os.environ | home | variables, check=True, capture_output=True,
        )  # fmt: skip
        return json.loads((tmp_path / "answer.json").read_text())

    return ask


@pytest.fixture(scope="module")
def schedule() -> Schedule:
    return read_schedule(load_config("test")["airflow"]["default"])


def test_airflow_finds_what_conf_says(ask: Any, schedule: Schedule) -> None:
    answer = ask()
    assert answer["errors"] == {}, "a cycle would be one"
    assert answer["dags"].keys() == schedule.dags.keys()
    for name, dag in schedule.dags.items():
        found = answer["dags"][name]
        followers = {stage: [then] for stage, then in zip(dag.stages, dag.stages[1:], strict=False)}
        assert found["followers"] == followers | {dag.stages[-1]: []}
        assert found["schedule"] == dag.schedule
        assert found["starts"] == schedule.start_date.isoformat()
        assert (found["is_catching_up"], found["runs_at_once"]) == (False, 1)
        assert found["retries"] == [schedule.retries]
        assert found["retry_delays_s"] == [schedule.retry_delay_s]
        assert found["timeouts_s"] == [schedule.stage_timeout_h * 3600]
        for stage, command in found["commands"].items():
            assert f" run --pipeline={stage} --env=test" in command
            assert (f"{name}.yml" in command) == bool(dag.params)


def test_airflow_takes_and_refuses_what_we_do(airflow: Path, tmp_path: Path) -> None:
    given = [("name", schedule) for schedule in (*TAKEN, *REFUSED)]
    given += [(name, None) for name in (*NAMES_TAKEN, *NAMES_REFUSED)]
    folder = tmp_path / "dags"
    folder.mkdir()
    for number, (name, schedule) in enumerate(given):
        # Each in a file of its own: an error is one of a file.
        dag = f"name_{number}" if name == "name" else name
        options = f"{dag!r}, schedule={schedule!r}, start_date=datetime(2026, 1, 1)"
        text = f"from datetime import datetime\nfrom airflow.sdk import DAG\ndag = DAG({options})\n"
        (folder / f"{number}.py").write_text(text)
    home = {"AIRFLOW_HOME": str(tmp_path / "airflow"), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    command = [airflow, ASK, folder, tmp_path / "answer.json"]
    subprocess.run(command, env=os.environ | home, check=True, capture_output=True)
    errors = json.loads((tmp_path / "answer.json").read_text())["errors"]
    refused = {given[int(Path(file).stem)] for file in errors}
    assert refused == {
        *(("name", schedule) for schedule in REFUSED),
        *((name, None) for name in NAMES_REFUSED),
    }


@pytest.mark.slow
def test_a_task_runs_its_stage(ask: Any, tmp_path: Path) -> None:
    ask("bukva_training", "data_processing", BUKVA_TEST_STORAGE=str(tmp_path))
    assert (tmp_path / "03_primary" / "sample_table.parquet").is_file()
