import json

import numpy as np
import pandas as pd
import pytest
from prediction_tables import make_predictions

from bukva.errors import TableError
from bukva.tasks.glyph.evaluation.metrics import (
    compare,
    expected_calibration_error,
    misread_pairs,
    per_class_report,
    score,
)

FIVE = [
    ("а", False, "а", 0.1),  # all right
    ("б", True, "б", 0.2),  # case wrong
    ("в", True, "ь", 0.9),  # label wrong
    ("г", None, "г", 0.9),  # label right, case unknown
    ("7", None, "1", 0.9),  # a digit, wrong
]


def test_score_of_five_hand_counted_samples():
    scores = score(make_predictions(*FIVE))
    assert scores["paper.label_accuracy"] == pytest.approx(3 / 5)
    assert scores["paper.letters.label_accuracy"] == pytest.approx(3 / 4)
    assert scores["paper.letters.case_accuracy"] == pytest.approx(2 / 3, abs=1e-6)
    assert scores["paper.letters.joint_accuracy"] == pytest.approx(1 / 3, abs=1e-6)
    counts = {
        key: value
        for key, value in scores.items()
        if key.startswith("paper") and key.endswith(".n")
    }
    assert list(counts.values()) == [5, 5, 4, 3, 3, 5]


def test_digits_are_no_free_points_for_case():
    digit_called_upper = make_predictions(("7", None, "7", 1.0), ("а", True, "а", 0.1))
    # Some tables say that a digit is upper case; it has none all the same.
    digit_called_upper["is_uppercase"] = pd.array([True, True], dtype="boolean")
    scores = score(digit_called_upper)
    assert scores["all.letters.case_accuracy"] == 0.0
    assert scores["all.letters.case_accuracy.n"] == 1


@pytest.mark.parametrize(("probability", "is_right"), [(0.49, 0.0), (0.5, 1.0), (0.61, 1.0)])
def test_case_is_judged_at_a_probability_of_half(probability, is_right):
    scores = score(make_predictions(("о", True, "о", probability)))
    assert scores["all.letters.case_accuracy"] == is_right


def test_scopes_are_corpora_published_and_all():
    paper = make_predictions(("а", True, "а", 0.9), ("б", True, "в", 0.9))
    paper.loc[1, "is_published"] = True
    scores = score(pd.concat([paper, make_predictions(("1", None, "1", 0.0), corpus="mnist")]))
    assert scores["paper.label_accuracy"] == 0.5
    assert scores["published.label_accuracy"] == 0.0
    assert scores["mnist.label_accuracy"] == 1.0
    assert scores["all.label_accuracy"] == pytest.approx(2 / 3, abs=1e-6)


def test_keys_without_samples_are_absent():
    scores = score(make_predictions(("1", None, "1", 0.0)))
    assert not [key for key in scores if "letters" in key or key.startswith("published")]


def test_score_of_the_published_peer_carries_its_interval():
    right, wrong = [("а", False, "а", 0.0)] * 282, [("а", False, "б", 0.0)] * 18
    predictions = make_predictions(*right, *wrong)
    predictions["is_published"] = True
    scores = score(predictions)
    assert scores["published.label_accuracy"] == 0.94
    assert scores["published.label_accuracy.ci95"] == pytest.approx([0.907, 0.962], abs=5e-4)
    assert scores["published.label_accuracy.n"] == 300


def test_top3_accuracy_counts_ranks_up_to_three():
    predictions = make_predictions(*[("о", None, "0", 0.5)] * 4)
    predictions["true_label_rank"] = [2, 3, 4, 43]
    scores = score(predictions)
    assert scores["paper.top3_accuracy"] == 0.5
    assert scores["paper.label_accuracy"] == 0.0


def test_accuracy_at_90_coverage_leaves_the_least_sure_tenth_out():
    predictions = make_predictions(*[("о", None, "о", 0.5)] * 17, *[("о", None, "0", 0.5)] * 3)
    predictions["label_probability"] = [0.8] * 17 + [0.9, 0.7, 0.6]
    scores = score(predictions)
    assert scores["paper.accuracy_at_90_coverage"] == pytest.approx(17 / 18, abs=1e-6)
    assert scores["paper.accuracy_at_90_coverage.n"] == 18


def test_samples_of_one_group_are_worth_less_than_independent_ones():
    """Four scan batches of 25, each read wholly rightly or wholly wrongly."""
    rows = [("о", None, "о", 0.5)] * 75 + [("о", None, "0", 0.5)] * 25
    predictions = make_predictions(*rows)
    alone = score(predictions)["paper.label_accuracy.ci95"]
    predictions["group"] = [f"batch-{place // 25}" for place in range(100)]
    low, high = score(predictions)["paper.label_accuracy.ci95"]
    assert high - low > 3 * (alone[1] - alone[0])
    predictions["group"] = [f"batch-{place % 25}" for place in range(100)]
    assert score(predictions)["paper.label_accuracy.ci95"] == alone


def test_compare_widens_its_interval_where_samples_come_in_groups():
    """Of ten batches two get lost whole."""
    first = make_predictions(*[("о", None, "о", 0.5)] * 100)
    second = make_predictions(*[("о", None, "0", 0.5)] * 20, *[("о", None, "о", 0.5)] * 80)
    alone = compare(first, second)["label_accuracy.difference.ci95"]
    group = [f"batch-{place // 10}" for place in range(100)]
    found = compare(first.assign(group=group), second.assign(group=group))
    low, high = found["label_accuracy.difference.ci95"]
    assert high - low > 2.5 * (alone[1] - alone[0])


def test_score_is_ready_for_json():
    scores = score(make_predictions(*FIVE))
    assert json.loads(json.dumps(scores)) == scores
    assert {type(value) for value in scores.values()} == {float, list, int}


def test_score_names_missing_columns():
    with pytest.raises(TableError, match=r"missing \['uppercase_probability'\]"):
        score(make_predictions(*FIVE).drop(columns="uppercase_probability"))


def test_score_refuses_a_corpus_called_all():
    with pytest.raises(TableError, match="all"):
        score(make_predictions(*FIVE, corpus="all"))


def test_score_refuses_an_unknown_label_in_reports():
    with pytest.raises(TableError, match="'ы'"):
        per_class_report(make_predictions(("ы", True, "а", 0.9)))


def test_per_class_report_by_hand():
    report = per_class_report(
        make_predictions(
            ("а", True, "а", 0.9),
            ("а", False, "а", 0.9),
            ("а", None, "б", 0.9),
            ("б", True, "б", 0.9),
            ("7", None, "а", 0.9),
        )
    ).set_index("label")
    assert list(report.index) == ["7", "а", "б"]
    assert list(report["support"]) == [1, 3, 1]
    assert list(report["recall"]) == pytest.approx([0, 2 / 3, 1])
    assert report["precision"].isna()["7"]
    assert list(report["precision"][1:]) == pytest.approx([2 / 3, 1 / 2])
    assert list(report["f1"]) == pytest.approx([0, 2 / 3, 2 / 3])
    assert report["case_accuracy"].isna()["7"]
    assert list(report["case_accuracy"][1:]) == [0.5, 1.0]


def test_misread_pairs_most_frequent_first():
    rows = [("о", None, "0", 0.5)] * 3 + [("о", None, "о", 0.5)] + [("з", None, "3", 0.5)]
    pairs = misread_pairs(make_predictions(*rows))
    assert pairs.to_dict("list") == {
        "label": ["о", "з"],
        "predicted_label": ["0", "3"],
        "count": [3, 1],
        "share": [0.75, 1.0],
    }


def test_misread_pairs_of_a_perfect_table_are_none():
    assert misread_pairs(make_predictions(("о", None, "о", 0.5))).empty


def test_expected_calibration_error_by_hand():
    # Four answers given with 0.9, three right: a gap of 0.15; one with 0.2, wrong: a gap of 0.2.
    error = expected_calibration_error([0.9] * 4 + [0.2], [True] * 3 + [False] * 2)
    assert error == pytest.approx((4 * 0.15 + 1 * 0.2) / 5)


def test_expected_calibration_error_of_honest_probabilities_is_small():
    rng = np.random.default_rng(0)
    probability = rng.random(20_000)
    assert expected_calibration_error(probability, rng.random(20_000) < probability) < 0.015
    assert expected_calibration_error(probability, probability > 0.5) > 0.2


@pytest.mark.parametrize("probability", [[1.2], [-0.1], [float("nan")]])
def test_expected_calibration_error_refuses_what_is_no_probability(probability):
    with pytest.raises(TableError, match=r"0\.\.1"):
        expected_calibration_error(probability, [True])


def test_expected_calibration_error_refuses_nothing():
    with pytest.raises(TableError, match="at least one"):
        expected_calibration_error([], [])


def test_compare_pairs_samples_by_id_not_by_place():
    first = make_predictions(*FIVE)
    assert compare(first, first.iloc[::-1])["label_accuracy.difference"] == 0.0
    assert compare(first, first.iloc[::-1])["label_accuracy.only_second_right"] == 0


def test_compare_by_hand():
    rows = [("а", False, "б", 0.1)] * 10 + [("а", False, "а", 0.9)] * 10
    first = make_predictions(*rows)
    second = make_predictions(*[("а", False, "а", 0.9)] * 18, *[("а", False, "б", 0.9)] * 2)
    comparison = compare(first, second)
    assert comparison["label_accuracy.difference"] == pytest.approx(0.4)
    assert comparison["label_accuracy.only_first_right"] == 2
    assert comparison["label_accuracy.only_second_right"] == 10
    assert comparison["label_accuracy.p_value"] == pytest.approx(2 * 79 / 4096, abs=1e-6)
    low, high = comparison["label_accuracy.difference.ci95"]
    assert 0 < low < 0.4 < high < 0.7
    assert comparison["letters.case_accuracy.difference"] == pytest.approx(-0.5)
    assert json.loads(json.dumps(comparison)) == comparison


def test_compare_refuses_other_samples():
    with pytest.raises(TableError, match="1 in one only, as 'paper/4'"):
        compare(make_predictions(*FIVE), make_predictions(*FIVE[:4]))


def test_compare_refuses_a_sample_twice():
    table = make_predictions(*FIVE)
    with pytest.raises(TableError, match="'paper/0' twice in the second table"):
        compare(table, pd.concat([table, table.iloc[:1]]))


def test_compare_refuses_another_truth():
    other = make_predictions(*FIVE)
    other.loc[0, "label"] = "о"
    with pytest.raises(TableError, match="one truth a sample"):
        compare(make_predictions(*FIVE), other)
