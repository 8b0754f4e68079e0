"""Tracking dies in the middle of a training, and of a study: nothing stops, and nothing is lost.

A real MLflow server on a real PostgreSQL. First the database crashes and comes back, then the
server is killed and started again.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from job_storage import Storage
from kedro_project import run_pipeline
from mlflow.entities import Run
from mlflow.tracking import MlflowClient
from mlflow_server import Tracking, run_tracking
from serving_servers import tracking_restored, wait_for

from bukva.registry.runs import keep_journals

FINETUNING = {
    "head_epochs": 1,
    "max_epochs": 24,
    "steps_per_epoch": 30,
    "patience_epochs": 99,
    "device": "cpu",
}


@pytest.fixture(scope="module")
def tracking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracking]:
    folder = tmp_path_factory.mktemp("artifacts")
    with run_tracking(folder) as tracking, pytest.MonkeyPatch.context() as patch:
        patch.setenv("BUKVA_TEST_TRACKING_URI", tracking.address)
        with tracking_restored():
            yield tracking
        keep_journals(None)


# On a busy machine it may take long until something happens; what is asserted has no time.
wait = partial(wait_for, timeout_s=150)


@contextmanager
def meanwhile(work: Callable[[], None]) -> Iterator[None]:
    """Work in a thread, and let what goes wrong in it be this test's failure."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        thread.join()
    assert not errors, errors


def lines_of(journal: Path) -> list[str]:
    # It is removed once everything is delivered.
    with suppress(FileNotFoundError):
        return journal.read_text().splitlines()
    return []


def take_away(tracking: Tracking, storage: Storage, has_begun: Callable[[], object]) -> None:
    journals = storage.path / "tracking_journals"

    def is_journalled() -> bool:
        """Return whether entries wait: a single one may only be on its way."""
        return any(len(lines_of(path)) > 1 for path in journals.glob("*.jsonl"))

    wait(has_begun)
    tracking.database.crash()
    wait(is_journalled)
    tracking.database.start()
    wait(lambda: not is_journalled())
    tracking.kill()
    wait(is_journalled)
    tracking.start()


def run_of(tracking: Tracking, name: str) -> Run:
    client = MlflowClient(tracking.address)
    [experiment] = client.search_experiments(filter_string="name = 'bukva'")
    runs = client.search_runs([experiment.experiment_id], f"run_name = '{name}'")
    return next(iter(runs))


@pytest.fixture(scope="module")
def trained(tracking: Tracking, copy_of_job: Callable[[], Storage]) -> Storage:
    storage = copy_of_job()
    checkpoint = storage.path / "06_models" / "finetuning" / "checkpoint.pt"
    with meanwhile(lambda: take_away(tracking, storage, checkpoint.exists)):
        run_pipeline("finetuning", storage.path, finetuning=FINETUNING)
    return storage


def test_no_point_is_missing_or_there_twice(tracking: Tracking, trained: Storage) -> None:
    history = pd.read_csv(trained.path / "08_reporting" / "finetuning_history.csv")
    assert len(history) == 25
    run_id, client = run_of(tracking, "finetuning").info.run_id, MlflowClient(tracking.address)
    for name in ("train_loss", "valid_loss", "valid_label_accuracy", "seconds"):
        logged = client.get_metric_history(run_id, f"finetuning.{name}")
        assert [point.step for point in logged] == history["epoch"].to_list()
        assert [point.value for point in logged] == pytest.approx(history[name].to_list())


def test_the_run_is_finished_and_has_all_else(tracking: Tracking, trained: Storage) -> None:
    run = run_of(tracking, "finetuning")
    assert run.info.status == "FINISHED"
    assert run.data.params["finetuning.max_epochs"] == "24"
    [figure] = MlflowClient(tracking.address).list_artifacts(run.info.run_id, "figures")
    assert figure.path == "figures/finetuning_learning_curves.png"
    assert list((trained.path / "tracking_journals").iterdir()) == []


TUNING: dict[str, Any] = {
    "trials": 4, "epochs": 5, "steps_per_epoch": 30, "pruner": {"name": "none"}, "study": "outage",
}  # fmt: skip


def test_a_search_goes_on_and_each_trial_has_its_run(tracking: Tracking, trained: Storage) -> None:
    def has_begun() -> bool:
        return "trial 0" in {run.info.run_name for run in nested_runs(tracking)}

    with meanwhile(lambda: take_away(tracking, trained, has_begun)):
        run_pipeline("tuning", trained.path, tuning=TUNING)
    parent, runs = run_of(tracking, "tuning"), nested_runs(tracking)
    assert parent.info.status == "FINISHED"
    assert sorted(run.info.run_name for run in runs) == [f"trial {n}" for n in range(4)]
    client = MlflowClient(tracking.address)
    for run in runs:
        assert run.info.status == "FINISHED"
        assert run.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert run.data.params.keys() == {"learning_rate", "weight_decay", "dropout"}
        logged = client.get_metric_history(run.info.run_id, "valid_loss")
        assert len(logged) == len({point.step for point in logged}) >= 5


def nested_runs(tracking: Tracking) -> list[Run]:
    client = MlflowClient(tracking.address)
    [experiment] = client.search_experiments(filter_string="name = 'bukva'")
    runs = client.search_runs([experiment.experiment_id])
    return [run for run in runs if "mlflow.parentRunId" in run.data.tags]
