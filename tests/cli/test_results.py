"""The results of a job as a person reads them."""

import io
from typing import Any

import pytest
from job_storage import Storage
from mlflow.tracking import MlflowClient
from rich.console import Console
from rich.table import Table

from bukva.cli.results import (
    accuracy_table,
    describe_decision,
    describe_production,
    print_results,
    seconds_table,
)
from bukva.core.evaluation.verdict import Decision

Results = dict[str, Any]


@pytest.fixture(scope="module")
def results(job: Storage) -> Results:
    return job.report("results.json")


def rows_of(table: Table) -> list[list[str]]:
    return [list(cells) for cells in zip(*(column.cells for column in table.columns), strict=True)]


def percent(results: Results, key: str) -> str:
    low, high = results[f"{key}.ci95"]
    return f"{100 * results[key]:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def test_each_set_of_test_samples_is_a_row(results: Results) -> None:
    rows = rows_of(accuracy_table(results))
    assert [row[0] for row in rows] == [
        "digits", "strokes (synthetic)", "all", "digits (digit network)",
    ]  # fmt: skip
    measures = ("label", "letters.label", "letters.case", "letters.joint")
    cells = [percent(results, f"strokes.{name}_accuracy") for name in measures]
    assert rows[1] == ["strokes (synthetic)", f"{results['strokes.label_accuracy.n']}", *cells]
    assert rows[0][3:] == ["-", "-", "-"]  # digits have no letters
    digits = [f"{results['digits.accuracy.n']}", percent(results, "digits.accuracy")]
    assert rows[3] == ["digits (digit network)", *digits, "", "", ""]


def test_what_was_not_learnt_from_is_called_unseen(results: Results) -> None:
    rows = rows_of(accuracy_table(results | {"model.corpora": ["digits"]}))
    assert [row[0] for row in rows][:2] == ["digits", "strokes (unseen)"]


def test_seconds_are_added_up(results: Results) -> None:
    rows = rows_of(seconds_table(results))
    seconds = [value for key, value in results.items() if key.startswith("seconds.")]
    assert ["finetuning", f"{results['seconds.finetuning']:.1f}"] in rows
    assert rows[-1] == ["all", f"{sum(seconds):.1f}"]


def test_the_decision_is_one_sentence(job: Storage) -> None:
    decision = Decision.model_validate(job.report("decision.json"))
    said = describe_decision(decision)
    assert said == f"Model: registered, and now in production: {decision.reason}."
    assert decision.reason.endswith("forced by promotion.force")


def test_what_did_not_become_of_a_model_is_said_too(job: Storage) -> None:
    decision = Decision.model_validate(job.report("decision.json"))
    refused = decision.model_copy(update={"is_promoted": False})
    assert "promotion.force=true" in describe_decision(refused)
    known = decision.model_copy(update={"is_known": True, "reason": "it is version 1"})
    assert describe_decision(known) == "Model: it is version 1."


def test_the_model_in_production_is_named(job: Storage) -> None:
    versions = job.load("registered_models")
    assert describe_production(versions["prod"]) == (
        "In production: version 2, made here, tested on digits, strokes."
    )
    released = describe_production(versions["previous"])
    assert released.startswith(
        "In production: version 1, the model released with the project, trained on comnist"
    )
    assert "make run ENV=real" in released


def test_everything_is_printed_without_a_cell_broken(
    job: Storage, tracking: MlflowClient, results: Results, capsys: pytest.CaptureFixture[str]
) -> None:
    print_results(job.catalog, "data/08_reporting")
    printed = capsys.readouterr().out
    for words in (
        "strokes (synthetic)", "digits (digit network)", percent(results, "all.label_accuracy"),
        "data/08_reporting/", "In production: version 2", "make serve",
    ):  # fmt: skip
        assert words in printed


def test_the_widest_table_fits(results: Results) -> None:
    """That of the largest corpora, whose names are longer than those of the embedded ones."""
    widest = {
        key.replace("strokes", "cyrillic_mnist"): 107339 if key.endswith(".n") else value
        for key, value in results.items()
    }
    console = Console(file=io.StringIO(), width=124)
    assert console.measure(accuracy_table(widest)).maximum <= 124
