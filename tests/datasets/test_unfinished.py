"""A table and the images beside it are of one run, or whoever reads them is told."""

from pathlib import Path

import pytest
from kedro.pipeline import Node, Pipeline

from bukva.datasets.atomic import install_atomic_saves
from bukva.datasets.unfinished import UnfinishedSaves
from bukva.errors import UnfinishedSaveError
from clean_forks import clean_forks
from kedro_project import run_pipeline
from killed_saves import die_in_save


def halve(number: int) -> tuple[int, int]:
    return number // 2, number % 2


def count(half: int) -> int:
    return half


SPLIT = Node(halve, "number", ["half", "rest"], name="halve", tags=["arithmetic"])
READERS = [Node(count, name, f"{name}_count", name=f"count_{name}") for name in ("half", "rest")]


@pytest.fixture(params=["disk", "S3"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    install_atomic_saves()
    if request.param == "S3":
        request.getfixturevalue("s3")
        return f"s3://bukva/{tmp_path.name}"
    return str(tmp_path / "data [mine]")


def test_results_are_read_until_their_saves_begin_and_after_they_ended(folder: str) -> None:
    saves = UnfinishedSaves(folder)
    saves.begin(SPLIT)
    saves.end(SPLIT, "half")
    saves.begin(SPLIT)
    for reader in READERS:
        with pytest.raises(UnfinishedSaveError, match="half, rest may not belong together"):
            UnfinishedSaves(folder).check(Pipeline([reader]))
    saves.end(SPLIT, "rest")
    UnfinishedSaves(folder).check(Pipeline(READERS))


def test_who_makes_them_anew_or_reads_others_may_run(folder: str) -> None:
    UnfinishedSaves(folder).begin(SPLIT)
    UnfinishedSaves(folder).check(Pipeline([SPLIT, *READERS]))
    UnfinishedSaves(folder).check(Pipeline([Node(count, "other", "other_count", name="others")]))


def test_two_runs_of_one_node_end_each_in_its_time(folder: str) -> None:
    runs = [UnfinishedSaves(folder), UnfinishedSaves(folder)]
    for step in ("half", "rest"):
        for run in runs:
            run.begin(SPLIT)
            run.end(SPLIT, step)
    UnfinishedSaves(folder).check(Pipeline(READERS))


def test_a_node_with_one_result_needs_no_note(tmp_path: Path) -> None:
    UnfinishedSaves(str(tmp_path)).begin(READERS[0])
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
