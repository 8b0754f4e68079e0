"""Scores of two classes, and what is compared before a promotion."""

import numpy as np
import pandas as pd
import pytest

from bukva.tasks.document.evaluation.scores import (
    compare,
    recall_at_specificity,
    score,
    with_probability,
)


def predictions(hands: list[float], labels: str, corpus: str = "forms") -> pd.DataFrame:
    """Return predictions; `h` and `p` stand for the labels."""
    rows = pd.DataFrame({"label": [{"h": "handwritten", "p": "printed"}[each] for each in labels]})
    rows["corpus"], rows["group"] = corpus, [str(place // 2) for place in range(len(rows))]
    return with_probability(rows, np.array(hands, dtype=np.float32))


def test_both_labels_count_alike() -> None:
    scores = score(predictions([0.9] * 8 + [0.1, 0.9], "hhhhhhhhpp"), resamples=50)
    assert scores["all.accuracy"] == 0.9
    assert scores["all.balanced_accuracy"] == 0.75
    assert scores["all.handwritten.recall"] == 1.0
    assert scores["all.printed.recall"] == 0.5
    assert scores["all.precision"] == pytest.approx(8 / 9, abs=1e-6)
    low, high = scores["all.balanced_accuracy.ci95"]
    assert low <= 0.75 <= high


def test_a_source_of_one_label_has_its_recall_alone() -> None:
    both = predictions([0.9, 0.1], "hp", "forms")
    wills = predictions([0.9, 0.2], "hh", "wills")
    scores = score(pd.concat([both, wills]), resamples=20)
    assert scores["wills.handwritten.recall"] == 0.5
    assert "wills.balanced_accuracy" not in scores
    assert scores["forms.balanced_accuracy"] == 1.0


def test_drawn_lines_do_not_count_among_those_of_corpora() -> None:
    forms = predictions([0.9, 0.1], "hp", "forms")
    drawn = predictions([0.1, 0.9], "hp", "drawn_lines")
    scores = score(pd.concat([forms, drawn]), resamples=20)
    assert scores["corpora.accuracy"] == 1.0
    assert scores["all.accuracy"] == 0.5


def test_a_comparison_guards_each_label() -> None:
    first = predictions([0.9, 0.9, 0.1, 0.1], "hhpp")
    second = predictions([0.9, 0.2, 0.1, 0.1], "hhpp")
    difference = compare(first, second)
    assert difference["handwritten.recall.difference"] == -0.5
    assert difference["printed.recall.difference"] == 0.0
    assert difference["accuracy.only_first_right"] == 1


def test_recall_where_print_is_hardly_ever_taken_for_handwriting() -> None:
    rows = predictions([0.99, 0.6, 0.3] + [0.01 * place for place in range(50)], "hhh" + "p" * 50)
    assert recall_at_specificity(rows, 0.98) == pytest.approx(2 / 3)
