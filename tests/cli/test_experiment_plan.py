"""What a file of experiments is refused for, all at once, and what decides a run's result."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from kedro_project import PROJECT, storage_at

from bukva.cli.experiment_runs.plan import Experiment, Project, read_experiment
from bukva.errors import ExperimentError

GOOD = {"experiment": "good", "env": "test", "runs": [{"name": "a"}]}


def read(folder: Path, content: dict[str, Any]) -> Experiment:
    file = folder / "experiments.yml"
    file.write_text(yaml.safe_dump(content))
    with storage_at(folder / "storage"):
        return read_experiment(file, PROJECT)


def refusal(folder: Path, **content: Any) -> str:
    with pytest.raises(ExperimentError) as caught:
        read(folder, GOOD | content)
    return str(caught.value)


@pytest.mark.parametrize("file", sorted((PROJECT / "conf" / "experiments").glob("*.yml")))
def test_the_experiments_of_the_project_are_in_order(file: Path) -> None:
    experiment = read_experiment(file, PROJECT)
    assert experiment.name == file.stem
    assert len({str(run.parameters) for run in experiment.runs}) == len(experiment.runs) > 1


def test_all_faults_of_a_file_are_reported_at_once(tmp_path: Path) -> None:
    message = refusal(
        tmp_path,
        experiment="a/b",
        envv="test",
        grid={"finetuning.seed": []},
        runs=[
            {"name": "x", "seed": 3, "finetuning.max_epochs": 0},
            {"name": "y", "corpora": {"strokes": -1}, "embedded.seed": 2},
            {"name": "y"},
            {"nme": "z"},
        ],
    )
    # An empty grid leaves no run to check.
    assert "does not validate (4):" in message
    for place in ("experiment", "grid.finetuning.seed", "envv", "runs.3.name"):
        assert f"  - {place}: " in message


def test_values_are_checked_though_the_structure_is_wrong(tmp_path: Path) -> None:
    runs = [{"name": "x", "finetuning.max_epochs": 0}, {"nme": "y"}]
    message = refusal(tmp_path, envv="test", pipelines=["promotion"], runs=runs)
    for place in ("envv", "pipelines.0", "runs.1.name", "runs.x.finetuning.max_epochs"):
        assert f"  - {place}: " in message


def test_values_of_every_run_are_checked(tmp_path: Path) -> None:
    message = refusal(
        tmp_path,
        runs=[
            {"name": "x", "seed": 3, "finetuning.max_epochs": 0},
            {"name": "y", "corpora": {"strokes": -1}, "embedded.seed": 2},
            {"name": "y"},
        ],
    )
    assert "does not validate (5):" in message
    assert "runs.x.seed: Extra inputs are not permitted, got 3" in message
    assert "runs.x.finetuning.max_epochs: Input should be greater" in message
    assert "runs.y.finetuning.corpora.strokes: Input should be greater" in message
    assert "runs.y.embedded.seed: No pipeline of this file reads it" in message
    assert "runs.y: Expected each name once" in message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"env": "surreal"}, "got 'surreal'"),
        ({"pipelines": ["finetunning"]}, "'packaging', got 'finetunning'"),
        ({"pipelines": ["data_processing", "finetuning"]}, "pipelines.0: "),
        ({"pipelines": ["promotion"]}, "'packaging', got 'promotion'"),
        ({"pipelines": 3}, "pipelines: "),
        ({"runs": [{"name": "a", "corpora": 3}]}, "runs.a.finetuning.corpora: "),
    ],
)
def test_where_and_what_to_run_is_checked(
    tmp_path: Path, content: dict[str, Any], words: str
) -> None:
    assert words in refusal(tmp_path, **content)


def test_a_run_may_end_in_a_packaged_model(tmp_path: Path) -> None:
    pipelines = ["finetuning", "evaluation", "packaging"]
    assert read(tmp_path, GOOD | {"pipelines": pipelines}).project.pipelines == pipelines


def test_a_network_is_set_where_a_pipeline_reads_it(tmp_path: Path) -> None:
    runs = [{"name": "a", "network": "mlp"}]
    alone = read(tmp_path, GOOD | {"pipelines": ["finetuning"], "runs": runs}).runs[0]
    assert alone.overrides == {"finetuning.network": "mlp"}
    assert alone.parameters["finetuning.network"] == "mlp"


def test_parameters_and_data_decide_whether_a_run_is_the_same(tmp_path: Path) -> None:
    longer = {"name": "b", "finetuning.max_epochs": 7}
    experiment = read(tmp_path, GOOD | {"runs": [{"name": "a"}, longer]})
    same, other = experiment.runs
    assert experiment.fingerprint(same) != experiment.fingerprint(other)
    assert experiment.fingerprint(same) == experiment.fingerprint(replace(same, name="c"))
    with storage_at(tmp_path / "storage"):
        project = Project(PROJECT, "test", experiment.project.pipelines)
        table = tmp_path / "storage" / "03_primary" / "sample_table.parquet"
        table.parent.mkdir(parents=True)
        table.write_bytes(b"other data")
        changed = replace(experiment, project=project)
        assert changed.fingerprint(same) != experiment.fingerprint(same)


def test_what_is_missing_is_named_with_the_commands_that_make_it(tmp_path: Path) -> None:
    project = read(tmp_path, GOOD).project
    with pytest.raises(ExperimentError) as caught:
        project.check_inputs()
    for words in (
        "sample_table",
        "mnist_pretraining.model",
        "kedro run --pipeline=data_processing --env=test",
        "kedro run --pipeline=mnist_pretraining --env=test",
    ):
        assert words in str(caught.value)
