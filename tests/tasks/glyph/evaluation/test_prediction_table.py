import numpy as np
import pandas as pd
import pytest

from bukva.core.alphabets import DIGITS
from bukva.tasks.glyph.charset import LABELS
from bukva.tasks.glyph.evaluation.predictions import COLUMNS, make_prediction_table

SAMPLES = pd.DataFrame(
    {
        "sample_id": ["a/0", "a/1"],
        "corpus": "a",
        "split": "test",
        "label": ["3", "з"],
        "is_uppercase": pd.array([None, True], dtype="boolean"),
        "group": pd.Series([None, "batch"], dtype="str"),
        "is_published": False,
    }
)


def probabilities(classes: str, *answers: dict[str, float]) -> np.ndarray:
    rows = [[answer.get(label, 0.0) for label in classes] for answer in answers]
    return np.array(rows, dtype=np.float32)


def test_the_table_has_the_columns_that_the_room_reads():
    label_NK = probabilities(LABELS, {"3": 0.7, "з": 0.3}, {"3": 0.5, "е": 0.3, "з": 0.2})
    table = make_prediction_table(SAMPLES, label_NK, np.array([0.1, 0.8], np.float32), LABELS)
    assert set(COLUMNS) <= set(table)
    assert list(table["predicted_label"]) == ["3", "3"]
    assert list(table["label_probability"]) == pytest.approx([0.7, 0.5])
    assert list(table["true_label_rank"]) == [1, 3]
    assert list(table["predicted_uppercase"]) == [False, True]
    assert np.stack(table["label_probabilities"]) == pytest.approx(label_NK)


def test_classes_are_read_by_name_and_what_is_no_label_is_left_out():
    classes = "∅" + LABELS[::-1]
    label_NC = probabilities(classes, {"∅": 0.5, "3": 0.4, "з": 0.1}, {"∅": 0.9, "з": 0.1})
    table = make_prediction_table(SAMPLES, label_NC, np.zeros(2, np.float32), classes)
    assert list(table["predicted_label"]) == ["3", "з"]
    assert list(table["label_probability"]) == pytest.approx([0.8, 1.0])
    first = dict(zip(LABELS, table["label_probabilities"][0], strict=True))
    assert first["з"] == pytest.approx(0.2)


def test_a_label_that_the_model_does_not_know_comes_after_all():
    label_NK = probabilities(DIGITS, {"3": 1.0}, {"3": 1.0})
    table = make_prediction_table(SAMPLES, label_NK, np.zeros(2, np.float32), DIGITS)
    assert list(table["true_label_rank"]) == [1, 11]
    assert len(table["label_probabilities"][1]) == 10
