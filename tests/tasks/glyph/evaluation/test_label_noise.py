import numpy as np
import pandas as pd
import pytest

from bukva.errors import TableError
from bukva.tasks.glyph.charset import LABELS, NO_SYMBOL
from bukva.tasks.glyph.evaluation.label_noise import SUSPECT_COLUMNS, find_suspects


def answers(**probabilities):
    """Return the probabilities of all labels, the named ones as given and the rest even."""
    row = np.full(len(LABELS), (1 - sum(probabilities.values())) / len(LABELS))
    for label, probability in probabilities.items():
        row[LABELS.index(label)] += probability
    return row


def table(*rows):
    """Return a prediction table of (label, probabilities)."""
    return pd.DataFrame(
        [
            {"sample_id": f"s{i}", "corpus": "c", "label": label, "label_probabilities": row}
            for i, (label, row) in enumerate(rows)
        ]
    )


SURE = [("н", answers(н=0.9))] * 9 + [("ж", answers(ж=0.9))] * 9


def test_a_wrong_label_is_found_and_the_right_one_suggested():
    found = find_suspects(table(*SURE, ("н", answers(ж=0.95)), ("н", answers(ж=0.93, н=0.05))))
    assert list(found.columns) == list(SUSPECT_COLUMNS)
    assert found["sample_id"].tolist() == ["s18", "s19"]
    assert found["suggested_label"].tolist() == ["ж", "ж"]
    assert found["given_probability"].is_monotonic_increasing


def test_an_unsure_answer_accuses_nobody():
    assert find_suspects(table(*SURE, ("н", answers(ж=0.55, н=0.4)))).empty


def test_a_label_that_is_often_doubted_may_be_suggested_at_a_lower_probability():
    doubted = [("н", answers(н=0.9))] * 9 + [("ж", answers(ж=0.5))] * 9
    found = find_suspects(table(*doubted, ("н", answers(ж=0.6, н=0.3))))
    assert found["sample_id"].tolist() == ["s18"]


def test_what_is_no_symbol_is_left_out():
    assert find_suspects(table((NO_SYMBOL, answers(н=0.9)))).empty


def test_a_table_without_probabilities_is_refused():
    with pytest.raises(TableError, match="label_probabilities"):
        find_suspects(pd.DataFrame({"sample_id": ["a"], "corpus": ["c"], "label": ["а"]}))
