"""Real processes as trials of a real study: several at a time, failures, kills, a stop."""

import json
import os
import signal
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mlflow
import pytest
import yaml
from clean_forks import clean_forks
from kedro_project import PROJECT, load_catalog, storage_at
from optuna.trial import TrialState
from serving_servers import tracking_restored, wait_for

from bukva.cli.experiment_runs.plan import Experiment, read_experiment
from bukva.cli.experiment_runs.running import Conductor, Ended, Status, Tracker, list_statuses
from bukva.core.alphabets import DIGITS
from bukva.core.tuning.parameters import SharingParameters
from bukva.tasks.glyph.trained import TrainedModel

# Says when it starts and ends, into a file that all runs share.
NOTING = "echo start >> {0}/notes; sleep 0.3; echo end >> {0}/notes"
SHARING = SharingParameters(heartbeat_s=1, grace_s=5)


@dataclass
class Bench:
    """An experiment whose runs are commands of the shell in place of `kedro run`."""

    storage: Path
    experiment: str
    names: tuple[str, ...]
    script: str
    ended: list[Ended] = field(default_factory=list)
    on_end: Callable[[Ended], None] | None = None

    @property
    def folder(self) -> Path:
        return self.storage / "experiments" / self.experiment

    def read(self) -> Experiment:
        file = self.folder / "runs.yml"
        file.parent.mkdir(parents=True, exist_ok=True)
        runs = [{"name": name} for name in self.names]
        content = {"experiment": self.experiment, "env": "test", "pipelines": ["finetuning"]}
        file.write_text(yaml.safe_dump(content | {"runs": runs}))
        return read_experiment(file, PROJECT)

    def conductor(self, *only: str, **changes: Any) -> Conductor:
        experiment = self.read()
        todo = {key: run for key, run in experiment.by_key.items() if not only or run.name in only}
        script = self.script.format(self.folder)
        return Conductor(
            experiment,
            todo,
            Tracker(experiment),
            SHARING.model_copy(update=changes),
            self.on_end or self.ended.append,
            command=("/bin/sh", "-c", script),
        )

    def statuses(self) -> dict[str, str]:
        return {name: str(status) for name, (status, _) in list_statuses(self.read()).items()}

    def log(self, name: str) -> Path:
        return self.folder / name / "log.txt"

    def notes(self) -> list[str]:
        return (self.folder / "notes").read_text().split()

    def tracked(self) -> list[tuple[str, str]]:
        client = mlflow.MlflowClient()
        experiment = client.get_experiment_by_name(self.experiment)
        runs = client.search_runs([experiment.experiment_id])
        return sorted((run.info.run_name, run.info.status) for run in runs)


@pytest.fixture(scope="module")
def storage(
    tmp_path_factory: pytest.TempPathFactory, make_model: Callable[..., TrainedModel]
) -> Iterator[Path]:
    """A storage with a backbone, and with MLflow's database."""
    folder = tmp_path_factory.mktemp("bench")
    with storage_at(folder), tracking_restored():
        mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
        load_catalog("test").save("mnist_pretraining.model", make_model(DIGITS))
        yield folder


@pytest.fixture
def bench(storage: Path, request: pytest.FixtureRequest) -> Callable[..., Bench]:
    """Return a function that makes an experiment of the test's own."""
    name = f"bench-{zlib.crc32(request.node.name.encode()):08x}"
    return lambda *names, script=NOTING: Bench(storage, name, names, script)


@pytest.mark.parametrize("workers", [1, 2])
def test_so_many_are_at_work_at_the_same_time(bench: Callable[..., Bench], workers: int) -> None:
    # Long enough for the other to begin on a busy machine, where there is another.
    four = bench("a", "b", "c", "d", script=NOTING.replace("0.3", "0.3" if workers == 1 else "3"))
    four.conductor(workers=workers).conduct()
    assert {ended.name for ended in four.ended} == {"a", "b", "c", "d"}
    assert set(four.statuses().values()) == {"done"}
    depth, deepest = 0, 0
    for line in four.notes():
        depth += 1 if line == "start" else -1
        deepest = max(deepest, depth)
    assert deepest == workers


def test_a_failed_run_gives_its_last_lines_and_stops_no_other(bench: Callable[..., Bench]) -> None:
    script = (
        'echo "$BUKVA_RUN_FOLDER"; '
        "[ $BUKVA_RUN_NAME = good ] || {{ seq 20; echo; echo why >&2; exit 3; }}"
    )
    two = bench("bad", "good", script=script)
    two.conductor().conduct()
    errors = {ended.name: ended.error for ended in two.ended}
    assert errors["bad"] == ("16", "17", "18", "19", "20", "why", "(exit code 3)")
    assert errors["good"] == ()
    assert two.log("good").read_text() == f"experiments/{two.experiment}/good/\n"
    assert two.statuses() == {"bad": "failed", "good": "done"}
    assert two.tracked() == [("bad", "FAILED"), ("good", "FINISHED")]
    # The same command does it again, in its run of MLflow.
    two.script = "true"
    two.conductor("bad").conduct()
    assert two.statuses() == {"bad": "done", "good": "done"}
    assert two.tracked() == [("bad", "FINISHED"), ("good", "FINISHED")]


def test_a_killed_process_is_started_again_in_its_run(bench: Callable[..., Bench]) -> None:
    one = bench("one", script="mkdir {0}/killed && kill -9 $$; true")
    one.conductor().conduct()
    assert one.statuses() == {"one": "done"}
    assert one.tracked() == [("one", "FINISHED")]
    states = [trial.state for trial in one.conductor().open().trials()]
    assert states == [TrialState.FAIL, TrialState.COMPLETE]


def test_a_process_that_is_killed_each_time_has_failed(bench: Callable[..., Bench]) -> None:
    one = bench("one", script="echo start >> {0}/notes; kill -9 $$")
    one.conductor(retries=1).conduct()
    assert one.notes() == ["start", "start"]
    assert one.statuses() == {"one": "failed"}
    assert one.ended[0].error[-1] == "(exit code -9)"


def test_whatever_ends_the_command_stops_what_is_at_work(bench: Callable[..., Bench]) -> None:
    # The shell has a child of its own.
    script = "[ $BUKVA_RUN_NAME = short ] || {{ echo here; sleep 60; true; }}"
    two = bench("long", "short", script=script)

    def end(ended: Ended) -> None:
        wait_for(lambda: two.log("long").exists() and two.log("long").read_text() == "here\n")
        raise InterruptedError

    two.on_end = end
    started_s = time.monotonic()
    with pytest.raises(InterruptedError):
        two.conductor(workers=2).conduct()
    assert time.monotonic() - started_s < 50
    assert two.statuses()["long"] == "stopped"
    assert ("long", "KILLED") in two.tracked()


def test_a_second_command_shares_the_runs_of_the_first(bench: Callable[..., Bench]) -> None:
    five = bench("a", "b", "c", "d", "e")
    commands = [five.conductor(), five.conductor()]
    threads = [threading.Thread(target=command.conduct) for command in commands]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(five.notes()) == ["end"] * 5 + ["start"] * 5
    assert {ended.name for ended in five.ended} == {"a", "b", "c", "d", "e"}
    assert set(five.statuses().values()) == {"done"}


def test_what_waits_since_a_former_command_is_left_where_it_is_not_named(
    bench: Callable[..., Bench],
) -> None:
    three = bench("a", "b", "c")

    def end(ended: Ended) -> None:
        raise InterruptedError

    three.on_end = end
    with pytest.raises(InterruptedError):
        three.conductor().conduct()
    three.on_end = None
    three.conductor("c").conduct()
    statuses = three.statuses()
    assert (statuses["b"], statuses["c"]) == ("pending", "done")
    three.conductor("a", "b").conduct()
    assert set(three.statuses().values()) == {"done"}
    assert [name for name, _ in three.tracked()] == ["a", "b", "c"]


def conduct_slowly(storage: Path, experiment: str) -> None:
    """For a process of its own."""
    with storage_at(storage):
        mlflow.set_tracking_uri(f"sqlite:///{storage}/mlflow.db")
        script = "echo start >> {0}/notes; sleep 8; echo end >> {0}/notes"
        Bench(storage, experiment, ("one",), script).conductor().conduct()


def test_a_killed_command_leaves_its_run_to_the_next_which_waits_for_its_process(
    bench: Callable[..., Bench],
) -> None:
    one = bench("one")
    command = clean_forks().Process(target=conduct_slowly, args=(one.storage, one.experiment))
    command.start()
    wait_for((one.folder / "notes").exists, timeout_s=120)
    assert one.statuses() == {"one": "running"}
    os.kill(command.pid, signal.SIGKILL)
    command.join()
    one.conductor().conduct()
    assert one.notes() == ["start", "end", "start", "end"]
    assert one.statuses() == {"one": "done"}
    assert one.tracked() == [("one", "FINISHED")]


def test_what_was_done_before_experiments_were_studies_is_done(
    bench: Callable[..., Bench],
) -> None:
    two = bench("a", "b")
    [key, _] = two.read().by_key
    two.log("a").parent.mkdir(parents=True)
    two.log("a").write_text("")
    record = {
        "outcome": "done", "fingerprint": key[1], "tracking_id": "1", "seconds": 2.0,
        "error": [], "at": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    (two.log("a").parent / "record.json").write_text(json.dumps(record))
    assert two.statuses() == {"a": "done", "b": "pending"}


def test_a_run_whose_folder_was_removed_is_not_done(bench: Callable[..., Bench]) -> None:
    one = bench("one")
    one.conductor().conduct()
    one.read().project.clear(f"experiments/{one.experiment}/one/")
    assert one.statuses() == {"one": str(Status.PENDING)}
    one.conductor().conduct()
    assert one.notes() == ["start", "end"] * 2
