"""Real processes as runs of an experiment: several at a time, failures, kills, a stop."""

import os
import signal
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
from serving_servers import tracking_restored, wait_for

from bukva.cli.experiment_runs.plan import Experiment, read_experiment
from bukva.cli.experiment_runs.running import Conductor, Record, Status, Tracker, list_records
from bukva.core.alphabets import DIGITS
from bukva.tasks.glyph.trained import TrainedModel

# Says when it starts and ends, into a file that all runs share.
NOTING = "echo start >> {0}/notes; sleep 0.3; echo end >> {0}/notes"


@dataclass
class Bench:
    """An experiment whose runs are commands of the shell in place of `kedro run`."""

    storage: Path
    experiment: str
    names: tuple[str, ...]
    script: str
    ended: dict[str, Record] = field(default_factory=dict)
    on_end: Callable[[str, Record], None] | None = None

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

    def conduct(self, *only: str, **options: Any) -> None:
        experiment = self.read()
        runs = [run for run in experiment.runs if not only or run.name in only]
        script = self.script.format(self.folder)
        Conductor(
            experiment,
            Tracker(experiment),
            self.on_end or self.ended.__setitem__,
            command=("/bin/sh", "-c", script),
            **options,
        ).conduct(runs)

    def statuses(self) -> dict[str, str]:
        return {name: str(record.status) for name, record in list_records(self.read()).items()}

    def log(self, name: str) -> Path:
        return self.folder / name / "log.txt"

    def notes(self) -> list[str]:
        return (self.folder / "notes").read_text().split()

    def tracked(self) -> list[tuple[str, str]]:
        client = mlflow.MlflowClient()
        experiment = client.get_experiment_by_name(self.experiment)
        runs = client.search_runs([experiment.experiment_id])
        return sorted((run.info.run_name, run.info.status) for run in runs)


def conduct(bench: Bench) -> None:
    """For a process of its own."""
    with storage_at(bench.storage):
        mlflow.set_tracking_uri(f"sqlite:///{bench.storage}/mlflow.db")
        bench.conduct()


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
    four.conduct(workers=workers)
    assert set(four.ended) == {"a", "b", "c", "d"}
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
    two.conduct()
    assert two.ended["bad"].error == ("16", "17", "18", "19", "20", "why", "(exit code 3)")
    assert two.ended["good"].error == ()
    assert two.log("good").read_text() == f"experiments/{two.experiment}/good/\n"
    assert two.statuses() == {"bad": "failed", "good": "done"}
    assert two.tracked() == [("bad", "FAILED"), ("good", "FINISHED")]
    # The same command does it again, in its run of MLflow.
    two.script = "true"
    two.conduct("bad")
    assert two.statuses() == {"bad": "done", "good": "done"}
    assert two.tracked() == [("bad", "FINISHED"), ("good", "FINISHED")]


def test_a_killed_process_is_started_again_in_its_run(bench: Callable[..., Bench]) -> None:
    script = "echo start >> {0}/notes; mkdir {0}/killed && kill -9 $$; true"
    one = bench("one", script=script)
    one.conduct()
    assert one.statuses() == {"one": "done"}
    assert one.tracked() == [("one", "FINISHED")]
    assert one.notes() == ["start", "start"]


def test_a_process_that_is_killed_each_time_has_failed(bench: Callable[..., Bench]) -> None:
    one = bench("one", script="echo start >> {0}/notes; kill -9 $$")
    one.conduct(retries=1)
    assert one.notes() == ["start", "start"]
    assert one.statuses() == {"one": "failed"}
    assert one.ended["one"].error[-1] == "(exit code -9)"


def test_whatever_ends_the_command_stops_what_is_at_work(bench: Callable[..., Bench]) -> None:
    # The shell has a child of its own.
    script = "[ $BUKVA_RUN_NAME = short ] || {{ echo here; sleep 60; true; }}"
    two = bench("long", "short", script=script)

    def end(name: str, record: Record) -> None:
        wait_for(lambda: two.log("long").exists() and two.log("long").read_text() == "here\n")
        raise InterruptedError

    two.on_end = end
    started_s = time.monotonic()
    with pytest.raises(InterruptedError):
        two.conduct(workers=2)
    assert time.monotonic() - started_s < 50
    assert two.statuses()["long"] == "stopped"
    assert ("long", "KILLED") in two.tracked()


def test_a_second_command_shares_the_runs_of_the_first(bench: Callable[..., Bench]) -> None:
    five = bench("a", "b", "c", "d", "e", script=NOTING.replace("0.3", "2"))
    context = clean_forks()
    commands = [context.Process(target=conduct, args=(five,)) for _ in range(2)]
    for command in commands:
        command.start()
    for command in commands:
        command.join()
    assert sorted(five.notes()) == ["end"] * 5 + ["start"] * 5
    assert set(five.statuses().values()) == {"done"}
    assert [name for name, _ in five.tracked()] == ["a", "b", "c", "d", "e"]


def test_what_waits_since_a_former_command_is_left_where_it_is_not_named(
    bench: Callable[..., Bench],
) -> None:
    three = bench("a", "b", "c")

    def end(name: str, record: Record) -> None:
        raise InterruptedError

    three.on_end = end
    with pytest.raises(InterruptedError):
        three.conduct()
    three.on_end = None
    three.conduct("c")
    statuses = three.statuses()
    assert (statuses["b"], statuses["c"]) == ("pending", "done")
    three.conduct("a", "b")
    assert set(three.statuses().values()) == {"done"}
    assert [name for name, _ in three.tracked()] == ["a", "b", "c"]


def test_a_killed_command_leaves_its_run_to_the_next_which_waits_for_its_process(
    bench: Callable[..., Bench],
) -> None:
    one = bench("one", script=NOTING.replace("0.3", "8"))
    command = clean_forks().Process(target=conduct, args=(one,))
    command.start()
    wait_for((one.folder / "notes").exists, timeout_s=120)
    assert one.statuses() == {"one": "running"}
    os.kill(command.pid, signal.SIGKILL)
    command.join()
    one.conduct()
    assert one.notes() == ["start", "end", "start", "end"]
    assert one.statuses() == {"one": "done"}
    assert one.tracked() == [("one", "FINISHED")]


def test_a_run_whose_folder_was_removed_is_not_done(bench: Callable[..., Bench]) -> None:
    one = bench("one")
    one.conduct()
    one.read().project.clear(f"experiments/{one.experiment}/one/")
    assert one.statuses() == {"one": str(Status.PENDING)}
    one.conduct()
    assert one.notes() == ["start", "end"] * 2
