"""The tracking server and its database die while a run logs: it goes on, and nothing is lost.

Real ones: MLflow's own server on PostgreSQL.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mlflow
import pytest
from click.testing import CliRunner
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro_project import PROJECT, make_context
from mlflow.entities import Run
from mlflow.tracking import MlflowClient
from mlflow_server import Tracking, run_tracking
from serving_servers import tracking_restored

from bukva.__main__ import bukva
from bukva.datasets.tracked import EpochMetricsDataset
from bukva.hooks import TrackingHooks
from bukva.registry.journal import Logged
from bukva.registry.runs import active_run, current_trial_runs, keep_journals, log_file

Row = dict[str, Any]
RUN_PARAMS: dict[str, Any] = {
    "pipeline_names": ["finetuning"], "tags": None, "node_names": None, "from_nodes": None,
    "to_nodes": None, "from_inputs": None, "load_versions": None,
}  # fmt: skip


@pytest.fixture(scope="module")
def tracking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracking]:
    folder = tmp_path_factory.mktemp("artifacts")
    with run_tracking(folder) as tracking, tracking_restored():
        mlflow.set_tracking_uri(tracking.address)
        yield tracking


@pytest.fixture
def journals(tracking: Tracking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the environment `test` keeps journals; it listens to this test's server."""
    monkeypatch.setenv("BUKVA_TEST_STORAGE", str(tmp_path))
    monkeypatch.setenv("BUKVA_TEST_TRACKING_URI", tracking.address)
    folder = tmp_path / "tracking_journals"
    keep_journals(folder)
    mlflow.set_experiment("outages")
    yield folder
    keep_journals(None)


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
    hooks = TrackingHooks()
    hooks.after_context_created(make_context(PROJECT, "test"))
    hooks.before_pipeline_run(RUN_PARAMS, Pipeline([]), DataCatalog())
    run, tracked = mlflow.active_run(), active_run()
    log_epoch, trials = EpochMetricsDataset(prefix="finetuning").load(), current_trial_runs()
    assert tracked is not None
    assert log_epoch is not None
    assert trials is not None
    for epoch in range(1, 9):
        log_epoch(row(epoch))
        happens.get(epoch, lambda: None)()
    # All without a server: parameters, a figure, a trial from its beginning to its end, the end.
    hooks.before_node_run({"params:finetuning": {"learning_rate": 0.006}, "samples": [1]})
    tracked.log(Logged(tags={"note": "ґ"}))
    log_file(b"a figure", "figures/curves.png")
    trial = trials.start(7, {"dropout": 0.1})
    for epoch in range(1, 4):
        trials.record(trial, row(epoch))
    trials.end(trial, "complete")
    hooks.after_pipeline_run()
    assert mlflow.active_run() is None
    assert tracked.wait(0) > 0
    assert len(list(journals.iterdir())) == 1
    tracking.start()
    assert tracked.wait(60) == 0
    assert list(journals.iterdir()) == []
    check_whole_run(run.info.run_id)
    check_trial(run.info)


def check_whole_run(run_id: str) -> None:
    found = MlflowClient().get_run(run_id)
    assert found.info.status == "FINISHED"
    assert found.data.params == {"finetuning.learning_rate": "0.006"}
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


def test_what_the_server_refuses_is_set_aside_and_stops_nothing(
    tracking: Tracking, journals: Path
) -> None:
    with mlflow.start_run() as run:
        tracked = active_run()
        assert tracked is not None
        for seed in ("1", "1", "2", "1"):
            tracked.log(Logged(params={"seed": seed}))
        tracked.log(Logged(tags={"note": "ґ"}))
        assert tracked.wait(60) == 0
    found = MlflowClient().get_run(run.info.run_id)
    assert found.data.params == {"seed": "1"}
    assert found.data.tags["note"] == "ґ"
    [refused] = (journals / "refused.txt").read_text().splitlines()
    assert "seed" in refused
    assert [path.name for path in journals.iterdir()] == ["refused.txt"]


KILLED = """
import os, signal, sys
from bukva.registry.journal import Logged, TrackedRun
from bukva.registry.runs import EpochMetrics

server, experiment_id, run_id, folder = sys.argv[1:]
run = TrackedRun(server=server, experiment_id=experiment_id, run_id=run_id, journals=folder)
for epoch in range(1, 6):
    EpochMetrics(run)({"epoch": epoch, "valid_loss": 1 / epoch})
run.log(Logged(files={"table.csv": b"a table"}))
run.log(Logged(status="FINISHED"))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_run_left_is_delivered_by_a_command_once(
    tracking: Tracking, journals: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = MlflowClient()
    experiment_id = client.get_experiment_by_name("outages").experiment_id
    run_id = client.create_run(experiment_id).info.run_id
    monkeypatch.chdir(PROJECT)
    tracking.kill()
    try:
        of_run = tracking.address, experiment_id, run_id, str(journals)
        subprocess.run([sys.executable, "-c", KILLED, *of_run], check=False)
    finally:
        tracking.start()
    [left] = journals.glob("*.jsonl")
    content = left.read_bytes() + b'{"run": {"serv'
    for _ in range(2):
        left.write_bytes(content)
        done = CliRunner().invoke(bukva, ["tracking", "replay", "--env=test"])
        assert "7 delivered." in done.output, done.output
        assert list(journals.iterdir()) == []
        check_complete(run_id, "valid_loss", 5)
    assert client.get_run(run_id).info.status == "FINISHED"
    assert [file.path for file in client.list_artifacts(run_id)] == ["table.csv"]
