"""The results of a job as a person reads them."""

import io
from dataclasses import replace
from typing import Any

import pytest
from kedro.io import DataCatalog, MemoryDataset
from rich.console import Console
from rich.table import Table

from bukva.commands.results import (
    accuracy_table,
    describe_decision,
    describe_production,
    print_results,
    seconds_table,
)
from bukva.model_registry.models import PackagedModel


def share(key: str, value: float, count: int) -> dict[str, Any]:
    return {key: value, f"{key}.ci95": [value - 0.01, value + 0.01], f"{key}.n": count}


RESULTS = {
    **share("mnist.accuracy", 0.994, 10000),
    **share("mnist.label_accuracy", 0.981, 10000),
    **share("strokes.label_accuracy", 0.9, 500),
    **share("strokes.letters.label_accuracy", 0.89, 400),
    **share("strokes.letters.case_accuracy", 0.99, 400),
    **share("strokes.letters.joint_accuracy", 0.88, 400),
    **share("all.label_accuracy", 0.975, 10500),
    **share("published.label_accuracy", 0.96, 300),
    **share("rukopys.label_accuracy", 0.8, 1336),
    "model.weights_sha256": "abc",
    "model.corpora": ["mnist", "strokes"],
    "seconds.finetuning": 61.26,
    "seconds.packaging": 4.0,
}
DECISION = {"is_known": False, "is_promoted": True, "reason": "no model is in production"}


RELEASED = PackagedModel(
    "models:/bukva-glyph/1",
    {"released": "true", "trained_on": '["comnist", "strokes"]', "corpora": '["comnist"]'},
    read_onnx=bytes,
    version="1",
)


def rows_of(table: Table) -> list[list[str]]:
    return [list(cells) for cells in zip(*(column.cells for column in table.columns), strict=True)]


def test_each_set_of_test_samples_is_a_row() -> None:
    rows = rows_of(accuracy_table(RESULTS))
    assert [row[0] for row in rows] == [
        "mnist", "rukopys (unseen)", "strokes (synthetic)", "published", "all",
        "mnist (digit network)",
    ]  # fmt: skip
    assert rows[2] == [
        "strokes (synthetic)", "500", "90.0 [89.0, 91.0]", "89.0 [88.0, 90.0]",
        "99.0 [98.0, 100.0]", "88.0 [87.0, 89.0]",
    ]  # fmt: skip
    assert rows[0][3:] == ["-", "-", "-"]  # digits have no letters
    assert rows[5] == ["mnist (digit network)", "10000", "99.4 [98.4, 100.4]", "", "", ""]


def test_seconds_are_added_up() -> None:
    assert rows_of(seconds_table(RESULTS)) == [
        ["finetuning", "61.3"], ["packaging", "4.0"], ["all", "65.3"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("decision", "words"),
    [
        (DECISION, "now in production: no model is in production"),
        (DECISION | {"is_promoted": False, "reason": "-1.00%"}, "promotion.force=true"),
        (DECISION | {"is_known": True, "reason": "it is version 1"}, "Model: it is version 1."),
    ],
)
def test_the_decision_is_one_sentence(decision: dict[str, Any], words: str) -> None:
    assert words in describe_decision(decision)


def test_the_model_in_production_is_named() -> None:
    assert describe_production(RELEASED).startswith(
        "In production: version 1, the model released with the project, trained on comnist, strokes"
    )
    assert "make run ENV=real" in describe_production(RELEASED)
    made = replace(RELEASED, version="2", tags={"corpora": '["digits", "strokes"]'})
    assert describe_production(made) == (
        "In production: version 2, made here, tested on digits, strokes."
    )


def test_everything_is_printed_without_a_cell_broken(capsys: pytest.CaptureFixture[str]) -> None:
    data = {"results": RESULTS, "decision": DECISION, "registered_models": {"prod": RELEASED}}
    catalog = DataCatalog({name: MemoryDataset(value) for name, value in data.items()})
    print_results(catalog, "data/08_reporting")
    printed = capsys.readouterr().out
    for words in (
        "strokes (synthetic)", "mnist (digit network)", "99.0 [98.0, 100.0]", "65.3",
        "data/08_reporting/", "make serve",
    ):  # fmt: skip
        assert words in printed


def test_the_widest_table_fits() -> None:
    widest = {
        key: value
        for measure in ("label", "letters.label", "letters.case", "letters.joint")
        for key, value in share(f"cyrillic_mnist.{measure}_accuracy", 0.99, 107339).items()
    }
    widest |= share("mnist.accuracy", 0.99, 10000) | {"model.corpora": []}
    console = Console(file=io.StringIO(), width=124)
    assert console.measure(accuracy_table(widest)).maximum <= 124
