"""Experiments from a file as a person runs them: by workers, with a failure, stopped, again."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from click.testing import CliRunner, Result
from kedro_project import PROJECT, load_catalog, storage_at
from mlflow.tracking import MlflowClient
from stage_runs import small_data

from bukva.__main__ import bukva
from bukva.cli.experiment_runs.plan import read_experiment
from bukva.cli.experiment_runs.running import Record, list_records
from bukva.core.alphabets import DIGITS
from bukva.errors import ExperimentError
from bukva.tasks.glyph.trained import TrainedModel

# Seven processes start, seconds each on an idle machine.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SMALL = {"network": "glyph_cnn", "corpora": {"strokes": 1.0}}


@dataclass(frozen=True)
class Laboratory:
    """A storage with data and a backbone, and the command line in it."""

    path: Path

    def write(self, name: str, **content: Any) -> str:
        file = self.path / f"{name}.yml"
        header = {"experiment": name, "env": "test", "defaults": SMALL}
        file.write_text(yaml.safe_dump(header | content))
        return str(file)

    def experiments(self, *arguments: str) -> Result:
        with storage_at(self.path):
            own = {"BUKVA_EXPERIMENT": None}  # given back afterwards
            return CliRunner().invoke(bukva, ["experiments", *arguments], env=own)

    def record(self, experiment: str, run: str) -> Record:
        """Where a run stands."""
        with storage_at(self.path):
            file = self.path / f"{experiment}.yml"
            return list_records(read_experiment(file, PROJECT))[run]

    def log(self, experiment: str, run: str) -> str:
        return (self.path / "experiments" / experiment / run / "log.txt").read_text()

    def tracked(self, experiment: str) -> dict[str, Any]:
        """The runs in MLflow by name."""
        client = MlflowClient(f"sqlite:///{self.path}/mlflow.db")
        found = client.get_experiment_by_name(experiment)
        runs = client.search_runs([found.experiment_id])
        assert len({run.info.run_name for run in runs}) == len(runs)
        return {run.info.run_name: run for run in runs}


@pytest.fixture(scope="module")
def laboratory(
    tmp_path_factory: pytest.TempPathFactory, make_model: Callable[..., TrainedModel]
) -> Iterator[Laboratory]:
    before = signal.getsignal(signal.SIGTERM)
    storage = tmp_path_factory.mktemp("laboratory")
    with storage_at(storage):
        catalog = load_catalog("test")
        for name in ("sample_table", "sample_images"):
            catalog.save(name, small_data()[name])
        catalog.save("mnist_pretraining.model", make_model(DIGITS))
    yield Laboratory(storage)
    signal.signal(signal.SIGTERM, before)


@pytest.fixture(scope="module")
def done(laboratory: Laboratory) -> tuple[str, Result]:
    """Two runs that go well and one that cannot, by two workers."""
    runs = [
        {"name": "first"},
        {"name": "second", "finetuning.seed": 2},
        {"name": "broken", "corpora": {"nowhere": 1.0}},
    ]
    file = laboratory.write("seeds", runs=runs)
    return file, laboratory.experiments("run", file, "--workers=2")


def test_the_runs_are_done_though_one_of_them_fails(
    laboratory: Laboratory, done: tuple[str, Result]
) -> None:
    _, result = done
    assert result.exit_code == 1
    assert isinstance(result.exception, ExperimentError)
    assert "1 of 3 runs failed (broken)" in str(result.exception)
    names = ("first", "second", "broken")
    outcomes = {name: laboratory.record("seeds", name).status for name in names}
    assert outcomes == {"first": "done", "second": "done", "broken": "failed"}
    error = "\n".join(laboratory.record("seeds", "broken").error)
    assert "ParameterError: Expected corpora of the sample table" in error
    assert error in result.output.replace("\n    ", "\n")


def test_each_run_keeps_its_own_results_beside_shared_data(
    laboratory: Laboratory, done: tuple[str, Result]
) -> None:
    folders = [laboratory.path / "experiments" / "seeds" / name for name in ("first", "second")]
    weights = {
        (folder / "06_models" / "finetuning" / "model.safetensors").read_bytes()
        for folder in folders
    }
    assert len(weights) == 2
    for folder in folders:
        assert (folder / "08_reporting" / "results.json").exists()
        assert not (folder / "03_primary").exists()
    assert not (laboratory.path / "06_models" / "finetuning").exists()
    assert not (laboratory.path / "08_reporting").exists()


def test_all_are_in_one_experiment_of_mlflow(
    laboratory: Laboratory, done: tuple[str, Result]
) -> None:
    file, _ = done
    tracked = laboratory.tracked("seeds")
    assert {name: run.info.status for name, run in tracked.items()} == {
        "first": "FINISHED", "second": "FINISHED", "broken": "FAILED", "comparison": "FINISHED",
    }  # fmt: skip
    assert {run.data.tags["bukva.experiments_file"] for run in tracked.values()} == {file}
    assert tracked["second"].data.params["finetuning.seed"] == "2"
    assert "test.all.label_accuracy" in tracked["second"].data.metrics
    artifacts = MlflowClient(f"sqlite:///{laboratory.path}/mlflow.db").list_artifacts(
        tracked["comparison"].info.run_id
    )
    assert {item.path for item in artifacts} == {"comparison.csv", "comparison.md"}


def test_one_table_compares_them(laboratory: Laboratory, done: tuple[str, Result]) -> None:
    folder = laboratory.path / "experiments" / "seeds"
    assert (folder / "comparison.md").read_text() in done[1].output
    table = pd.read_csv(folder / "comparison.csv").set_index("run")
    assert table["status"].to_dict() == {"first": "done", "second": "done", "broken": "failed"}
    assert table["finetuning.seed"].to_dict() == {"first": 1, "second": 2, "broken": 1}
    gain = table["all.label_accuracy"]["second"] - table["all.label_accuracy"]["first"]
    assert table["label_accuracy.difference"]["second"] == pytest.approx(gain, abs=1e-5)
    assert 0 <= table["label_accuracy.p_value"]["second"] <= 1


def test_what_is_done_is_not_done_again(laboratory: Laboratory, done: tuple[str, Result]) -> None:
    file, _ = done
    before = laboratory.record("seeds", "first")
    listed = laboratory.experiments("list", file)
    assert [line.split()[:2] for line in listed.stdout.splitlines()] == [
        ["done", "first"], ["done", "second"], ["failed", "broken"],
    ]  # fmt: skip
    again = laboratory.experiments("run", file, "--only=first", "--only=second")
    assert again.exit_code == 0, again.output
    assert again.output.count("before, with the same parameters and data") == 2
    assert laboratory.record("seeds", "first") == before
    changed = yaml.safe_load(Path(file).read_text())["runs"]
    changed[1]["finetuning.seed"] = 3
    assert "changed  second" in laboratory.experiments(
        "list", laboratory.write("seeds", runs=changed)
    ).stdout.replace("\n", " ")


def wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    deadline_s = time.monotonic() + 600
    while not path.exists():
        assert process.poll() is None, "it ended before it could be stopped"
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def test_a_stopped_run_goes_on_from_its_checkpoint_in_its_run_of_mlflow(
    laboratory: Laboratory,
) -> None:
    file = laboratory.write(
        "long",
        pipelines=["finetuning"],
        defaults=SMALL | {"finetuning.max_epochs": 12},
        runs=[{"name": "only"}],
    )
    folder = laboratory.path / "experiments" / "long" / "only"
    checkpoint = folder / "06_models" / "finetuning" / "checkpoint.pt"
    with subprocess.Popen(
        [sys.executable, "-m", "bukva", "experiments", "run", file],
        cwd=PROJECT,
        env={**os.environ, "BUKVA_TEST_STORAGE": str(laboratory.path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        wait_for(checkpoint, process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=120) != 0
    stopped = laboratory.record("long", "only")
    assert stopped.status == "stopped"
    assert checkpoint.exists()
    assert laboratory.tracked("long")["only"].info.status == "KILLED"
    assert laboratory.experiments("list", file).stdout.startswith("stopped  only")
    result = laboratory.experiments("run", file)
    assert result.exit_code == 0, result.output
    assert "going on after epoch" in laboratory.log("long", "only")
    assert not checkpoint.exists()
    finished = laboratory.record("long", "only")
    assert (finished.status, finished.run_id) == ("done", stopped.run_id)
    assert laboratory.tracked("long")["only"].info.status == "FINISHED"


def test_a_forced_run_is_done_from_its_beginning(laboratory: Laboratory) -> None:
    file = laboratory.write("forced", pipelines=["finetuning"], runs=[{"name": "only"}])
    left_over = laboratory.path / "experiments" / "forced" / "only" / "06_models" / "left_over"
    left_over.mkdir(parents=True)
    result = laboratory.experiments("run", file, "--force")
    assert result.exit_code == 0, result.output
    assert not left_over.exists()
    assert laboratory.record("forced", "only").status == "done"
