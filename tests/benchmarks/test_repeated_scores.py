import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bukva.core.evaluation.intervals import t_interval
from bukva.errors import TableError
from targets.repeated import score_out_of_fold, score_seeds


def answers(rows: list[tuple[str, str, str, bool | None, str, bool]]) -> pd.DataFrame:
    """Rows of trial, sample, label, case, predicted label, predicted case."""
    columns = ["trial", "sample_id", "label", "is_uppercase", "predicted_label", "upper"]
    table = pd.DataFrame(rows, columns=columns).astype({"is_uppercase": "boolean"})
    return table.assign(scope="folds", uppercase_probability=table["upper"].astype(float))


def test_repeats_of_a_sample_are_averaged_before_samples_are() -> None:
    table = answers(
        [
            ("a", "1", "о", True, "о", True),
            ("b", "1", "о", True, "о", False),
            ("a", "2", "с", False, "о", False),
            ("b", "2", "с", False, "с", False),
            ("a", "3", "7", None, "7", True),
        ]
    )
    scores = score_out_of_fold(table, "cv")
    assert scores["cv.folds.label_accuracy"] == pytest.approx((1 + 0.5 + 1) / 3, abs=1e-6)
    assert scores["cv.folds.label_accuracy.n"] == 3
    assert scores["cv.folds.case_accuracy"] == pytest.approx((0.5 + 1) / 2)
    assert scores["cv.folds.joint_accuracy"] == pytest.approx((0.5 + 0.5) / 2)
    assert scores["cv.folds.joint_accuracy.n"] == 2


def test_scopes_are_kept_apart() -> None:
    right = answers([("a", "1", "7", None, "7", False), ("a", "2", "8", None, "8", False)])
    wrong = right.assign(scope="blocks", predicted_label="1")
    scores = score_out_of_fold(pd.concat([right, wrong]), "cv")
    assert scores["cv.folds.label_accuracy"] == 1
    assert scores["cv.blocks.label_accuracy"] == 0
    assert not any("case_accuracy" in key for key in scores), "digits have no case"


def test_seeds_are_averaged_with_students_interval() -> None:
    table = answers(
        [
            ("seed-1", "1", "7", None, "7", False),
            ("seed-1", "2", "7", None, "1", False),
            ("seed-2", "1", "7", None, "7", False),
            ("seed-2", "2", "7", None, "7", False),
        ]
    )
    scores = score_seeds(table, "mnist_seeds")
    assert scores["mnist_seeds.label_accuracy"] == 0.75
    assert scores["mnist_seeds.label_accuracy.by_seed"] == [0.5, 1.0]
    assert scores["mnist_seeds.label_accuracy.n"] == 2


def test_nothing_is_said_of_no_predictions() -> None:
    empty = answers([])
    assert score_out_of_fold(empty, "cv") == {}
    assert score_seeds(empty, "mnist_seeds") == {}


def test_students_interval_is_that_of_the_t_test() -> None:
    values = np.array([0.9961, 0.9957, 0.9969, 0.9963, 0.9960])
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert t_interval(values) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize("values", [[], [0.5], [[0.1, 0.2]]])
def test_students_interval_needs_two_values(values: list[float]) -> None:
    with pytest.raises(TableError, match="at least two values"):
        t_interval(values)
