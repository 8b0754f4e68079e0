import numpy as np
import pandas as pd
import pytest

from bukva.errors import TableError
from bukva.tasks.glyph.charset import NO_SYMBOL
from bukva.tasks.glyph.figures.refusal import (
    choose_threshold,
    count_refused_blanks,
    measure_refusal,
    plot_refusal,
)


def rows(name: str, split: str, label: str, probabilities: np.ndarray) -> pd.DataFrame:
    corpus = name.partition("/")[0]
    return pd.DataFrame(
        {
            "sample_id": [f"{name}{split}-{place:05d}" for place in range(len(probabilities))],
            "corpus": corpus,
            "group": pd.Series([None] * len(probabilities), dtype="str"),
            "split": split,
            "label": label,
            "is_uppercase": pd.array([None] * len(probabilities), dtype="boolean"),
            "symbol_probability": probabilities,
        }
    )


@pytest.fixture
def predictions() -> pd.DataFrame:
    """Symbols at 0.01 .. 1.00 in valid and test, dots far below, half of the lines among them."""
    symbols = np.arange(1, 101) / 100
    return pd.concat(
        [
            rows("paper/", "valid", "а", symbols),
            rows("paper/", "test", "а", symbols),
            rows("nonsymbols/dot-", "test", NO_SYMBOL, np.zeros(50)),
            rows("nonsymbols/line-", "test", NO_SYMBOL, np.repeat([0.0, 1.0], 20)),
        ],
        ignore_index=True,
    )


def test_each_kind_is_counted_at_the_threshold_that_keeps_the_share(predictions):
    scores = measure_refusal(predictions, kept_share=0.9)
    assert scores["refusal.threshold"] == pytest.approx(0.1, abs=0.011)
    assert scores["refusal.kept"] == pytest.approx(0.9, abs=0.011)
    assert scores["refusal.paper.kept"] == scores["refusal.kept"]
    assert (scores["refusal.dot.refused"], scores["refusal.dot.refused.n"]) == (1.0, 50)
    assert scores["refusal.dot.auroc"] == 1.0
    assert scores["refusal.line.refused"] == 0.5
    low, high = scores["refusal.line.refused.ci95"]
    assert low < 0.5 < high
    assert scores["refusal.line.auroc"] == pytest.approx(0.5, abs=0.01)


def test_what_the_threshold_keeps_of_the_tests_is_measured_not_promised(predictions):
    is_test = predictions["split"].eq("test") & predictions["label"].ne(NO_SYMBOL)
    shifted = predictions.assign(
        symbol_probability=predictions["symbol_probability"].where(~is_test, 0.05)
    )
    assert measure_refusal(shifted, kept_share=0.9)["refusal.kept"] == 0.0


def test_corpora_count_alike_for_the_threshold(predictions):
    sure = rows("screen/", "valid", "б", np.ones(900))
    together = pd.concat([predictions, sure], ignore_index=True)
    # Half of what is lost may come from either corpus: twice the share of the one that loses.
    assert choose_threshold(together, 0.9) == pytest.approx(0.2, abs=0.011)


def test_nothing_is_measured_without_pages_that_show_none(predictions):
    symbols = predictions[predictions["label"].ne(NO_SYMBOL)]
    assert measure_refusal(symbols, kept_share=0.95) == {}
    assert plot_refusal(symbols, {}).axes


def test_a_missing_column_is_named(predictions):
    with pytest.raises(TableError, match="symbol_probability"):
        measure_refusal(predictions.drop(columns="symbol_probability"), 0.95)


def test_blank_pages_are_refused_by_preprocessing():
    assert count_refused_blanks(20)["refusal.blank.refused"] == 1.0


def test_the_figure_shows_every_kind(predictions):
    figure = plot_refusal(predictions, measure_refusal(predictions, 0.9))
    bars, curves = figure.axes
    assert [label.get_text() for label in bars.get_yticklabels()] == ["blank", "line", "dot"]
    assert [line.get_label() for line in curves.get_lines()] == ["dot", "line"]
