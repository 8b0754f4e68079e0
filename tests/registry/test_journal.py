"""What is kept of a run on the disk: whole, in order, and read by nobody while it is written.

MLflow is a file here; where it is away, its address is one where nothing listens.
"""

import math
import subprocess
import sys
import threading
from pathlib import Path

import mlflow
import pytest
from mlflow.entities import Run
from mlflow.tracking import MlflowClient
from serving_servers import free_port

from bukva.registry.journal import Entry, Journal, Logged, TrackedRun, replay_journals


@pytest.fixture(autouse=True)
def _tracked(registry_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Nothing listens there, and need not be asked twice.
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


@pytest.fixture
def run_id() -> str:
    with mlflow.start_run() as run:
        return str(run.info.run_id)


@pytest.fixture(scope="module")
def away() -> str:
    return f"http://127.0.0.1:{free_port()}"


def read(run_id: str) -> Run:
    return MlflowClient().get_run(run_id)


def points(run_id: str) -> list[tuple[int, float]]:
    return [(p.step, p.value) for p in MlflowClient().get_metric_history(run_id, "loss")]


def entry(run_id: str, step: int, server: str | None = None) -> Entry:
    logged = Logged(metrics={"loss": 1 / step}, step=step)
    return Entry(run=run_at(run_id, server), logged=logged)


def run_at(run_id: str, server: str | None = None) -> TrackedRun:
    return TrackedRun(server=server or mlflow.get_tracking_uri(), experiment_id="1", run_id=run_id)


WRITER = """
import os, sys
from pathlib import Path
from bukva.registry.journal import Entry, Journal
journal = Journal(Path(sys.argv[1]))
for line in sys.stdin:
    journal.append(Entry.model_validate_json(line))
os.kill(os.getpid(), 9)
"""


def leave(folder: Path, *entries: Entry) -> Path:
    """What a process leaves that logs to a server which is away, and is killed."""
    subprocess.run(
        [sys.executable, "-c", WRITER, str(folder)],
        input="".join(f"{item.model_dump_json()}\n" for item in entries), text=True, check=False,
    )  # fmt: skip
    [path] = folder.glob("*.jsonl")
    return path


def leave_for_here(folder: Path, away: str, *entries: Entry) -> Path:
    """The same, of which the server is MLflow's file of this test from now on."""
    path = leave(
        folder,
        *(item.model_copy(update={"run": run_at(item.run.run_id, away)}) for item in entries),
    )
    path.write_text(path.read_text().replace(away, mlflow.get_tracking_uri()))
    return path


def replay(folder: Path) -> dict[str, int]:
    return dict(replay_journals(folder, mlflow.get_tracking_uri()))


def test_nothing_is_made_before_there_is_something_to_keep(tmp_path: Path) -> None:
    Journal(tmp_path / "journals")
    assert not (tmp_path / "journals").exists()


def test_what_is_delivered_is_forgotten(tmp_path: Path, run_id: str) -> None:
    journal = Journal(tmp_path / "journals")
    for step in (1, 2, 3):
        journal.append(entry(run_id, step))
        assert journal.wait(60) == 0
        assert list((tmp_path / "journals").iterdir()) == []
    assert points(run_id) == [(1, 1), (2, 1 / 2), (3, 1 / 3)]


def test_all_that_a_run_logs_survives_the_way_over_the_disk(tmp_path: Path, run_id: str) -> None:
    journal = Journal(tmp_path)
    logged = Logged(
        metrics={"best": math.inf, "loss": 0.1 + 0.2},
        params={"note": "ґ\n'\""},
        tags={"trial.state": "complete"},
        files={"figures/a.png": bytes(range(256)), "b.csv": b"x"},
        status="FAILED",
        time_ms=1_700_000_000_123,
    )
    line = Entry(run=run_at(run_id), logged=logged).model_dump_json()
    journal.append(Entry.model_validate_json(line))
    assert journal.wait(60) == 0
    run = read(run_id)
    assert run.info.status == "FAILED"
    assert run.info.end_time == 1_700_000_000_123
    assert run.data.params == {"note": "ґ\n'\""}
    assert run.data.metrics["loss"] == 0.1 + 0.2
    assert run.data.metrics["best"] > 1e300
    assert run.data.tags["trial.state"] == "complete"
    for path, content in logged.files.items():
        found = mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path=path)
        assert Path(found).read_bytes() == content


def test_a_journal_that_is_written_to_is_left_alone(
    tmp_path: Path, run_id: str, away: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path)
    journal.append(entry(run_id, 1, away))
    assert journal.wait(0.2) == 1
    assert replay_journals(tmp_path, away) == {}
    assert len(list(tmp_path.glob("*.jsonl"))) == 1
    # Else its thread asks for as long as this process lives, and others fork in the midst of it.
    monkeypatch.setattr("bukva.registry.journal.deliver", lambda *_: None)
    assert journal.wait(60) == 0


def test_a_journal_that_was_left_is_delivered_in_its_order_once(
    tmp_path: Path, run_id: str, away: str
) -> None:
    path = leave_for_here(tmp_path, away, *(entry(run_id, step) for step in (1, 2, 3)))
    content = path.read_bytes()
    for _ in range(2):
        path.write_bytes(content)
        assert replay(tmp_path) == {"delivered": 3}
        assert list(tmp_path.iterdir()) == []
        assert points(run_id) == [(1, 1), (2, 1 / 2), (3, 1 / 3)]


def test_what_is_for_another_server_or_one_that_is_away_waits(
    tmp_path: Path, run_id: str, away: str
) -> None:
    leave(tmp_path, entry(run_id, 1, away), entry(run_id, 2, away))
    assert replay(tmp_path) == {"waiting": 2}
    assert replay_journals(tmp_path, away) == {"waiting": 2}
    assert len(list(tmp_path.glob("*.jsonl"))) == 1


@pytest.mark.parametrize("kept_bytes", range(1, 60, 7))
def test_a_line_that_was_cut_off_by_a_kill_harms_no_other(
    tmp_path: Path, run_id: str, kept_bytes: int
) -> None:
    whole, torn = (f"{entry(run_id, step).model_dump_json()}\n".encode() for step in (1, 2))
    (tmp_path / "a.jsonl").write_bytes(whole + torn[:kept_bytes])
    assert replay(tmp_path) == {"delivered": 1}
    assert points(run_id) == [(1, 1)]


def test_a_journal_without_a_whole_line_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"run"')
    assert replay(tmp_path) == {}
    assert list(tmp_path.iterdir()) == []


def test_what_is_refused_is_kept_with_its_reason_and_stops_nothing(
    tmp_path: Path, run_id: str, away: str
) -> None:
    with mlflow.start_run() as run:
        deleted = run.info.run_id
    MlflowClient().delete_run(deleted)
    items = entry(run_id, 1), entry(deleted, 2), entry(run_id, 3)
    leave_for_here(tmp_path, away, *items)
    assert replay(tmp_path) == {"delivered": 2, "refused": 1}
    assert points(run_id) == [(1, 1), (3, 1 / 3)]
    refused = (tmp_path / "refused.txt").read_text()
    assert "must be in the 'active' state" in refused
    assert deleted in refused
    # The same while the run is there still.
    journal = Journal(tmp_path)
    for item in (items[1], entry(run_id, 4)):
        journal.append(item)
    assert journal.wait(60) == 0
    assert points(run_id)[-1] == (4, 1 / 4)
    assert len((tmp_path / "refused.txt").read_text().splitlines()) == 2


def test_a_line_of_an_older_journal_is_set_aside(tmp_path: Path, run_id: str) -> None:
    old = b'{"server": "http://tracking:5000"}\n{"path": "/api/2.0/mlflow/runs/log-batch"}\n'
    whole = f"{entry(run_id, 1).model_dump_json()}\n".encode()
    (tmp_path / "a.jsonl").write_bytes(old + whole)
    assert replay(tmp_path) == {"delivered": 1, "refused": 2}
    assert "runs/log-batch" in (tmp_path / "refused.txt").read_text()


def test_many_threads_lose_nothing(tmp_path: Path, run_id: str) -> None:
    journal = Journal(tmp_path)

    def give(steps: range) -> None:
        for step in steps:
            journal.append(entry(run_id, step))

    threads = [threading.Thread(target=give, args=(range(k, 81, 4),)) for k in (1, 2, 3, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert journal.wait(120) == 0
    assert sorted(step for step, _ in points(run_id)) == list(range(1, 81))
    assert list(tmp_path.iterdir()) == []
