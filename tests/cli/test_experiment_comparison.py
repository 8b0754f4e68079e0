"""The table of all runs, and how it reads."""

import pandas as pd
import pytest
from prediction_tables import make_predictions

from bukva.cli.experiment_runs.comparison import Outcome, tabulate, to_markdown, write_report
from bukva.cli.experiment_runs.plan import Run
from bukva.cli.experiment_runs.running import Status
from bukva.core.task import Scores
from bukva.tasks.glyph.evaluation.metrics import score

LETTERS = [("а", False), ("б", True), ("в", False), ("г", True)] * 25


def outcome(name: str, right: int, **parameters: object) -> Outcome:
    """A run that reads that many of a hundred letters right."""
    rows = [
        (label, upper, label if place < right else "ґ", 0.9 if upper else 0.1)
        for place, (label, upper) in enumerate(LETTERS)
    ]
    predictions = make_predictions(*rows)
    results: Scores = score(predictions) | {"seconds.finetuning": 2.0, "seconds.evaluation": 1.5}
    values = {f"finetuning.augmentation.{key}": value for key, value in parameters.items()}
    return Outcome(Run(name, {}, values), Status.DONE, results, predictions)


@pytest.fixture
def table() -> pd.DataFrame:
    failed = Outcome(Run("failed", {}, {}), Status.FAILED, {})
    full = outcome("full", 90, slant=0.25, elastic_nodes=5, scale=0.1)
    return tabulate([full, outcome("upright", 70, slant=0.0, elastic_nodes=5, scale=0.2), failed])


def test_a_row_a_run_with_what_differs(table: pd.DataFrame) -> None:
    assert table["run"].tolist() == ["full", "upright", "failed"]
    assert table["status"].tolist() == ["done", "done", "failed"]
    parameters = [name for name in table if name.startswith("finetuning.")]
    assert table["finetuning.augmentation.slant"].tolist()[:2] == [0.25, 0.0]
    assert len(parameters) == 3  # the failed run has none of them
    assert table["seconds"].tolist()[:2] == [3.5, 3.5]


def test_accuracies_have_their_intervals(table: pd.DataFrame) -> None:
    first = table.iloc[0]
    assert first["all.label_accuracy"] == 0.9
    assert first["all.label_accuracy.low"] < 0.9 < first["all.label_accuracy.high"]
    assert first["all.label_accuracy.n"] == 100
    assert pd.isna(table.iloc[2]["all.label_accuracy"])


def test_the_difference_to_the_first_run_is_that_of_the_same_samples(table: pd.DataFrame) -> None:
    assert pd.isna(table.iloc[0]["label_accuracy.difference"])
    second = table.iloc[1]
    assert second["label_accuracy.difference"] == pytest.approx(-0.2)
    assert second["label_accuracy.difference.high"] < 0
    assert second["label_accuracy.p_value"] < 1e-5


def test_without_the_first_run_nothing_is_compared() -> None:
    pending = Outcome(Run("first", {}, {}), Status.PENDING, {})
    assert "label_accuracy.difference" not in tabulate([pending, outcome("second", 50)])


def test_it_reads_as_a_table_in_markdown(table: pd.DataFrame) -> None:
    lines = to_markdown(table, "ablation").splitlines()
    assert lines[0] == "# ablation"
    assert "`full`" in lines[2]
    header, _, full, upright, failed = (
        [cell.strip() for cell in line.strip("|").split("|")] for line in lines[4:]
    )
    row = dict(zip(header, upright, strict=True))
    assert row["augmentation.slant"] == "0.0"
    assert row["label: all"].startswith("70.0 [")
    assert row["letters: case"].startswith("100.0 [")
    assert row["label, difference"].startswith("-20.0 [")
    assert row["label, difference"].endswith("p < 0.001")
    assert row["seconds"] == "4"
    assert dict(zip(header, full, strict=True))["label, difference"] == "-"
    assert set(failed[2:]) == {"-"}


def test_all_numbers_are_kept(table: pd.DataFrame, tmp_path) -> None:
    document, numbers = write_report(table, "ablation", tmp_path / "new")
    assert document.read_text() == to_markdown(table, "ablation")
    kept = pd.read_csv(numbers)
    assert kept.columns.tolist() == table.columns.tolist()
    assert kept["all.label_accuracy"].tolist()[:2] == [0.9, 0.7]
