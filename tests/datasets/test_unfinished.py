"""A table and the images beside it are of one run, or whoever reads them is told."""

from pathlib import Path

import pytest
from clean_forks import clean_forks
from kedro.framework.context import KedroContext
from kedro.pipeline import Node, Pipeline
from kedro_project import PROJECT, load_config, run_pipeline
from killed_saves import die_in_save
from pluggy import PluginManager

from bukva.datasets.unfinished import StorageHooks
from bukva.errors import UnfinishedSaveError


def halve(number: int) -> tuple[int, int]:
    return number // 2, number % 2


def count(half: int) -> int:
    return half


SPLIT = Node(halve, "number", ["half", "rest"], name="halve", tags=["arithmetic"])
READERS = [Node(count, name, f"{name}_count", name=f"count_{name}") for name in ("half", "rest")]


@pytest.fixture(params=["disk", "S3"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "S3":
        request.getfixturevalue("s3")
        return f"s3://bukva/{tmp_path.name}"
    return str(tmp_path / "data [mine]")


def run_in(folder: str, pipeline: Pipeline | None = None) -> StorageHooks:
    """The hooks of a run in a storage that is about to run a pipeline."""
    hooks = StorageHooks()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BUKVA_TEST_ROOT", folder)
        hooks.after_context_created(
            KedroContext(
                project_path=PROJECT,
                config_loader=load_config("test"),
                env="test",
                package_name="bukva",
                hook_manager=PluginManager("kedro"),
            )
        )
    hooks.before_pipeline_run(pipeline or Pipeline([]))
    return hooks


def test_results_are_read_until_their_saves_begin_and_after_they_ended(folder: str) -> None:
    run = run_in(folder)
    run.after_node_run(SPLIT)
    run.after_dataset_saved("half", SPLIT)
    for reader in READERS:
        with pytest.raises(UnfinishedSaveError, match="half, rest may not belong together"):
            run_in(folder, Pipeline([reader]))
    run.after_dataset_saved("rest", SPLIT)
    run_in(folder, Pipeline(READERS))


def test_who_makes_them_anew_or_reads_others_may_run(folder: str) -> None:
    run_in(folder).after_node_run(SPLIT)
    run_in(folder, Pipeline([SPLIT, *READERS]))
    run_in(folder, Pipeline([Node(count, "other", "other_count", name="others")]))


def test_two_runs_of_one_node_end_each_in_its_time(folder: str) -> None:
    runs = [run_in(folder), run_in(folder)]
    for run in runs:
        run.after_node_run(SPLIT)
    for step in ("half", "rest"):
        for run in runs:
            run.after_dataset_saved(step, SPLIT)
    run_in(folder, Pipeline(READERS))


def test_a_node_with_one_result_needs_no_note(tmp_path: Path) -> None:
    run_in(str(tmp_path)).after_node_run(READERS[0])
    assert list(tmp_path.iterdir()) == []


def run_and_die(storage: Path) -> None:
    die_in_save(storage / "03_primary" / "sample_images.npy", "half")
    run_pipeline("data_processing", storage)


def test_a_run_after_a_kill_between_two_saves_says_what_to_do(tmp_path: Path) -> None:
    process = clean_forks().Process(target=run_and_die, args=(tmp_path,))
    process.start()
    process.join(timeout=120)
    assert process.exitcode == -9
    message = "add_nonsymbols.*sample_table, sample_images.*--pipeline=data_processing"
    with pytest.raises(UnfinishedSaveError, match=message):
        run_pipeline("mnist_pretraining", tmp_path)
    run_pipeline("data_processing", tmp_path)
    assert list(tmp_path.glob("unfinished*")) == []
