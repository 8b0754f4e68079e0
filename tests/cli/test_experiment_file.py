"""Which runs a file asks for."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from kedro_project import PROJECT

from bukva.cli.experiment_runs.plan import Project, expand, read_experiment
from bukva.errors import ExperimentError


@cache
def project() -> Project:
    return Project(PROJECT, "test", ("mnist_pretraining", "finetuning"))


def runs_of(text: str) -> dict[str, dict[str, Any]]:
    return dict(expand(yaml.safe_load(text), project()))


def test_a_run_has_the_defaults_and_what_it_says_itself() -> None:
    runs = runs_of(
        """
        defaults: {finetuning.seed: 3, finetuning.max_epochs: 4}
        runs:
          - name: plain
          - {name: short, finetuning.max_epochs: 1}
        """
    )
    assert runs == {
        "plain": {"finetuning.seed": 3, "finetuning.max_epochs": 4},
        "short": {"finetuning.seed": 3, "finetuning.max_epochs": 1},
    }


def test_groups_may_be_nested() -> None:
    runs = runs_of("runs: [{name: flat, finetuning.augmentation: {slant: 0, scale: 0.1}}]")
    assert runs["flat"] == {
        "finetuning.augmentation.slant": 0,
        "finetuning.augmentation.scale": 0.1,
    }


def test_named_corpora_are_all_that_is_trained_on() -> None:
    runs = runs_of("runs: [{name: a, corpora: {strokes: 0.5, mnist: 2}}]")
    corpora = project().ordinary["finetuning"]["corpora"]
    assert {"strokes", "digits"} < set(corpora)
    assert runs["a"] == {
        **{f"finetuning.corpora.{name}": 0.0 for name in corpora},
        "finetuning.corpora.strokes": 0.5,
        "finetuning.corpora.mnist": 2,
    }


def test_a_network_is_that_of_both_stages() -> None:
    runs = runs_of("grid: {network: [mlp, lenet]}\nruns: [{name: a}]")
    assert runs == {
        f"a-network_{name}": {"mnist_pretraining.network": name, "finetuning.network": name}
        for name in ("mlp", "lenet")
    }


def test_a_grid_multiplies_the_runs() -> None:
    runs = runs_of(
        """
        grid: {finetuning.seed: [1, 2], finetuning.width: [8, 16]}
        runs: [{name: a}, {name: b}]
        """
    )
    assert len(runs) == 8
    assert runs["b-seed_2-width_8"] == {"finetuning.seed": 2, "finetuning.width": 8}


@pytest.mark.parametrize("text", ["runs: none", "runs: [1, [2]]\ngrid: 3", "defaults: []"])
def test_what_is_malformed_is_left_to_the_check_of_the_structure(text: str) -> None:
    assert all(overrides == {} for overrides in runs_of(text).values())


@pytest.mark.parametrize("text", ["- a list", "a: [1", ""])
def test_what_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "bad.yml"
    file.write_text(text)
    with pytest.raises(ExperimentError, match=r"Expected"):
        read_experiment(file, tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=r"none\.yml"):
        read_experiment(tmp_path / "none.yml", tmp_path)
