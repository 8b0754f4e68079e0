"""A search in a session: its runs in MLflow, and how finetuning comes to read what it found."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest
import yaml
from clean_forks import clean_forks
from job_storage import Storage
from kedro_project import PROJECT, run_pipeline
from mlflow.entities import Run
from mlflow_server import run_postgresql
from optuna.storages import RDBStorage
from serving_servers import wait_for
from sqlalchemy import create_engine, text

from bukva.configuration import open_config
from bukva.pipelines.parameters import validate_parameters
from bukva.tasks.glyph.parameters import TrainingParameters


@pytest.fixture(scope="module")
def searched(copy_of_job: Callable[[], Storage]) -> Storage:
    storage = copy_of_job()
    run_pipeline("tuning", storage.path)
    return storage


def runs_of(storage: Storage) -> list[Run]:
    client = storage.client()
    experiment = client.get_experiment_by_name("bukva")
    return list(client.search_runs([experiment.experiment_id]))


def test_each_trial_is_a_run_under_the_run_of_the_search(searched: Storage) -> None:
    runs = runs_of(searched)
    [parent] = [run for run in runs if run.info.run_name == "tuning"]
    nested = [run for run in runs if "mlflow.parentRunId" in run.data.tags]
    assert {run.data.tags["mlflow.parentRunId"] for run in nested} == {parent.info.run_id}
    assert sorted(run.info.run_name for run in nested) == ["trial 0", "trial 1", "trial 2"]
    assert {run.info.status for run in [parent, *nested]} == {"FINISHED"}
    assert {run.data.tags["trial.state"] for run in nested} <= {"complete", "pruned"}
    assert all("learning_rate" in run.data.params for run in nested)
    assert all("valid_loss" in run.data.metrics for run in nested)
    assert len(searched.client().list_artifacts(parent.info.run_id, "figures")) == 3


def test_the_same_command_goes_on_with_the_study(searched: Storage) -> None:
    before = len(runs_of(searched))
    run_pipeline("tuning", searched.path, tuning={"trials": 4})
    # One run of the search, one of the trial that was missing.
    assert len(runs_of(searched)) == before + 2


def finetuning_of(conf: Path, env: str) -> TrainingParameters:
    loader = open_config(conf.parent, env)
    return validate_parameters(loader["parameters"]).finetuning


@pytest.mark.parametrize("env", ["base", "real"])
def test_finetuning_reads_what_was_found_until_the_file_is_deleted(
    searched: Storage, env: str, tmp_path: Path
) -> None:
    conf = tmp_path / "conf"
    shutil.copytree(PROJECT / "conf", conf, symlinks=True)
    place = conf / env / "globals_tuned.yml"
    place.unlink(missing_ok=True)
    by_hand = finetuning_of(conf, env)
    written = yaml.safe_load((searched.path / "globals_tuned.yml").read_text())
    found = written["tuned"]["finetuning"]
    # The first trial is of what stands there by hand; where it wins, nothing would be seen here.
    found["dropout"] = by_hand.dropout / 2
    place.write_text(yaml.safe_dump(written))
    tuned = finetuning_of(conf, env)
    assert tuned.learning_rate == found["learning_rate"]
    assert tuned.dropout == found["dropout"] != by_hand.dropout
    if env == "real":
        assert finetuning_of(conf, "prod") == tuned
        assert finetuning_of(conf, "released").dropout == tuned.dropout
    place.unlink()
    assert finetuning_of(conf, env) == by_hand


def search_together(storage: Path, address: str) -> None:
    """For a process of its own, which has not this one's environment."""
    os.environ["BUKVA_TUNING_STORAGE"] = address
    settings = {"trials": 6, "steps_per_epoch": 20, "pruner": {"name": "none"}}
    run_pipeline("tuning", storage, tuning=settings)


@contextmanager
def begun_together(address: str, searches: int) -> Iterator[None]:
    """Hold up all searches that are started in the block until each of them asks for its study."""
    RDBStorage(address)  # makes the tables
    database = create_engine(address)
    with database.connect() as holding, database.connect() as asking:
        holding.execute(text("LOCK TABLE studies"))
        yield
        waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        wait_for(lambda: asking.execute(waiting).scalar() == searches, timeout_s=120)
    database.dispose()


def test_two_machines_share_the_trials_of_a_study(
    copy_of_job: Callable[[], Storage],
) -> None:
    machines = [copy_of_job(), copy_of_job()]
    with run_postgresql("studies") as address:
        runs = [
            clean_forks().Process(target=search_together, args=(at.path, address))
            for at in machines
        ]
        with begun_together(address, len(runs)):
            for run in runs:
                run.start()
        for run in runs:
            run.join()
    assert [run.exitcode for run in runs] == [0, 0]
    tried = [
        {run.info.run_name for run in runs_of(at) if "mlflow.parentRunId" in run.data.tags}
        for at in machines
    ]
    assert all(tried)
    assert tried[0].isdisjoint(tried[1])
    tables = [pd.read_csv(at.path / "08_reporting" / "tuning_trials.csv") for at in machines]
    assert tables[0].equals(tables[1])
    assert tables[0]["state"].eq("complete").sum() == 6
    assert {f"trial {number}" for number in tables[0]["number"]} == tried[0] | tried[1]
