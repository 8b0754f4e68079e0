"""The tracking server and its database die while a run logs: it goes on, and nothing is lost.

Real ones: MLflow's own server on PostgreSQL.
"""

import base64
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mlflow
import pytest
from click.testing import CliRunner
from mlflow.entities import Run
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from mlflow_server import Tracking, run_tracking
from serving_servers import tracking_restored

from bukva.__main__ import bukva
from bukva.model_registry.epochs import current_epoch_metrics
from bukva.model_registry.journal import Journal
from bukva.model_registry.journalled_store import (
    forget_journal,
    keep_journal,
    log_file,
    wait_for_deliveries,
)
from bukva.model_registry.trials import current_trial_runs
from kedro_project import PROJECT

Row = dict[str, Any]


@pytest.fixture(scope="module")
def tracking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracking]:
    folder = tmp_path_factory.mktemp("artifacts")
    with run_tracking(folder) as tracking, tracking_restored():
        mlflow.set_tracking_uri(tracking.address)
        yield tracking


@pytest.fixture
def journals(tracking: Tracking, tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "tracking_journals"
    keep_journal(folder)
    mlflow.set_experiment("outages")
    yield folder
    forget_journal()


def row(epoch: int) -> Row:
    return {"epoch": epoch, "phase": "all", "valid_loss": 1 / epoch, "seconds": 0.5}


def history(run_id: str, name: str) -> list[tuple[int, float]]:
    points = MlflowClient().get_metric_history(run_id, name)
    return [(point.step, point.value) for point in points]


def check_complete(run_id: str, name: str, epochs: int) -> None:
    expected = [(epoch, 1 / epoch) for epoch in range(1, epochs + 1)]
    assert history(run_id, name) == expected


def test_no_point_is_missing_or_there_twice_and_the_run_is_finished(
    tracking: Tracking, journals: Path
) -> None:
    happens: dict[int, Callable[[], object]] = {
        2: tracking.database.crash,
        4: tracking.database.start,
        6: tracking.kill,
    }
    with mlflow.start_run() as run:
        log_epoch, trials = current_epoch_metrics("finetuning"), current_trial_runs()
        assert log_epoch is not None
        assert trials is not None
        for epoch in range(1, 9):
            log_epoch(row(epoch))
            happens.get(epoch, lambda: None)()
        # All without a server: parameters, a figure, a trial from its beginning to its end.
        mlflow.log_params({"learning_rate": 0.006})
        mlflow.set_tag("note", "ґ")
        log_file(b"a figure", "figures/curves.png")
        trial = trials.start(7, {"dropout": 0.1})
        for epoch in range(1, 4):
            trials.record(trial, row(epoch))
        trials.end(trial, "complete")
    assert wait_for_deliveries(0) > 0
    assert len(list(journals.iterdir())) == 1
    tracking.start()
    assert wait_for_deliveries(60) == 0
    assert list(journals.iterdir()) == []
    check_whole_run(run.info.run_id)
    check_trial(run.info)


def check_whole_run(run_id: str) -> None:
    found = MlflowClient().get_run(run_id)
    assert found.info.status == "FINISHED"
    assert found.data.params == {"learning_rate": "0.006"}
    assert found.data.tags["note"] == "ґ"
    check_complete(run_id, "finetuning.valid_loss", 8)
    path = mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path="figures/curves.png")
    assert Path(path).read_bytes() == b"a figure"


def check_trial(parent: Any) -> None:
    runs: list[Run] = MlflowClient().search_runs([parent.experiment_id], "run_name = 'trial 7'")
    [trial] = runs
    assert trial.info.status == "FINISHED"
    assert trial.data.tags["mlflow.parentRunId"] == parent.run_id
    assert trial.data.params == {"dropout": "0.1"}
    check_complete(trial.info.run_id, "valid_loss", 3)


def test_a_server_that_answers_refuses_as_ever(tracking: Tracking, journals: Path) -> None:
    with mlflow.start_run():
        mlflow.log_param("seed", 1)
        mlflow.log_param("seed", 1)
        with pytest.raises(MlflowException, match="seed"):
            mlflow.log_param("seed", 2)
    assert not journals.exists()


def leave_journal(folder: Path, server: str, run_id: str, epochs: int) -> Path:
    """What a process that was killed leaves: a journal, its last line torn."""
    journal = Journal(folder, server)
    for epoch in range(1, epochs + 1):
        point = {"key": "valid_loss", "value": 1 / epoch, "timestamp": epoch, "step": epoch}
        body = {"run_id": run_id, "metrics": [point]}
        path = "/api/2.0/mlflow/runs/log-batch"
        journal.append({"path": path, "method": "POST", "body": body})
    content = base64.b64encode(b"a table").decode()
    journal.append({"body": {"run_id": run_id, "file": "table.csv", "content": content}})
    journal.append({
        "path": "/api/2.0/mlflow/runs/update", "method": "POST",
        "body": {"run_id": run_id, "status": "FINISHED"},
    })  # fmt: skip
    del journal
    [path_of_journal] = folder.glob("*.jsonl")
    with path_of_journal.open("ab") as file:
        file.write(b'{"path": "/api')
    return path_of_journal


def test_what_a_killed_run_left_is_delivered_by_a_command_once(
    tracking: Tracking, journals: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = MlflowClient()
    experiment = client.get_experiment_by_name("outages")
    run_id = client.create_run(experiment.experiment_id).info.run_id
    monkeypatch.chdir(PROJECT)
    monkeypatch.setenv("BUKVA_TEST_STORAGE", str(tmp_path))
    monkeypatch.setenv("BUKVA_TEST_TRACKING_URI", tracking.address)
    left = leave_journal(journals, tracking.address, run_id, epochs=5)
    copy = shutil.copy(left, tmp_path)
    for _ in range(2):
        shutil.copy(copy, left)
        done = CliRunner().invoke(bukva, ["tracking", "replay", "--env=test"])
        assert "7 delivered." in done.output, done.output
        assert list(journals.iterdir()) == []
        check_complete(run_id, "valid_loss", 5)
    assert client.get_run(run_id).info.status == "FINISHED"
    assert [file.path for file in client.list_artifacts(run_id)] == ["table.csv"]
