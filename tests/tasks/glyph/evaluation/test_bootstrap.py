import json

import numpy as np
import pandas as pd
import pytest
from prediction_tables import make_predictions
from sklearn.metrics import f1_score, recall_score, roc_auc_score

from bukva.tasks.glyph.evaluation.bootstrap import (
    bootstrap_scores,
    calibration_error,
    case_auroc,
    draw_statistics,
    macro_f1,
    macro_recall,
)
from bukva.tasks.glyph.evaluation.metrics import expected_calibration_error, score
from bukva.tasks.glyph.evaluation.predictions import is_label_right, sampling_design

RESAMPLES = 400


def random_predictions(samples: int = 300, seed: int = 0) -> pd.DataFrame:
    """Letters, seven in ten of them read rightly; probabilities have ties."""
    rng = np.random.default_rng(seed)
    label = rng.choice(list("абвгґ"), samples)
    predicted = np.where(rng.random(samples) < 0.7, label, rng.choice(list("абвгґ0"), samples))
    is_upper = rng.random(samples) < 0.4
    uppercase = np.clip(is_upper * 0.4 + rng.random(samples).round(1), 0, 1)
    rows = zip(label, is_upper, predicted, uppercase, strict=True)
    predictions = make_predictions(*rows)
    predictions["label_probability"] = rng.uniform(0.3, 1, samples)
    return predictions


@pytest.fixture
def predictions() -> pd.DataFrame:
    return random_predictions()


@pytest.fixture
def weights(predictions: pd.DataFrame) -> np.ndarray:
    draws = np.random.default_rng(1).multinomial(
        len(predictions), [1 / len(predictions)] * len(predictions), size=3
    )
    return draws.astype(np.float32)


def expected_statistics(rows: pd.DataFrame) -> list[float]:
    occurring = sorted(set(rows["label"]))
    arguments = (rows["label"], rows["predicted_label"])
    return [
        recall_score(*arguments, labels=occurring, average="macro"),
        f1_score(*arguments, labels=occurring, average="macro"),
        expected_calibration_error(rows["label_probability"], is_label_right(rows)),
        roc_auc_score(rows["is_uppercase"].astype(bool), rows["uppercase_probability"]),
    ]


def test_statistics_of_weights_are_those_of_repeated_samples(
    predictions: pd.DataFrame, weights: np.ndarray
) -> None:
    makers = (macro_recall, macro_f1, calibration_error, case_auroc)
    found = np.stack([make(predictions)(weights) for make in makers], axis=1)
    for values, weight_N in zip(found, weights, strict=True):
        repeated = predictions.loc[predictions.index.repeat(weight_N.astype(int))]
        assert values == pytest.approx(expected_statistics(repeated), abs=1e-5)


def test_a_label_that_is_left_out_of_a_resample_is_not_counted() -> None:
    predictions = make_predictions(("а", True, "а", 0.9), ("б", True, "а", 0.9))
    assert macro_recall(predictions)(np.array([[2, 0], [1, 1]], np.float32)).tolist() == [1, 0.5]


def test_scores_carry_their_intervals_and_counts(predictions: pd.DataFrame) -> None:
    scores = bootstrap_scores(predictions, RESAMPLES)
    assert json.loads(json.dumps(scores)) == scores
    recall, f1, error, area = expected_statistics(predictions)
    assert scores["paper.macro_recall"] == pytest.approx(recall, abs=1e-5)
    assert scores["paper.macro_f1"] == pytest.approx(f1, abs=1e-5)
    assert scores["paper.ece"] == pytest.approx(error, abs=1e-5)
    assert scores["paper.letters.case_auroc"] == pytest.approx(area, abs=1e-5)
    for name in ("macro_recall", "macro_f1", "letters.case_auroc"):
        low, high = scores[f"all.{name}.ci95"]
        assert low < scores[f"all.{name}"] < high
        assert scores[f"all.{name}.n"] == 300
    assert not [key for key in scores if key.startswith("published")]


def test_the_same_seed_gives_the_same_intervals(predictions: pd.DataFrame) -> None:
    scores = bootstrap_scores(predictions, 50, seed=1)
    assert scores == bootstrap_scores(predictions, 50, seed=1)
    assert scores != bootstrap_scores(predictions, 50, seed=2)


def test_the_interval_of_a_share_is_as_wide_as_wilsons(predictions: pd.DataFrame) -> None:
    """Of one label, macro recall is accuracy, which has a closed form."""
    one = predictions[predictions["label"].eq("а")]
    bootstrapped = bootstrap_scores(one, 2000)["all.macro_recall.ci95"]
    assert bootstrapped == pytest.approx(score(one)["all.label_accuracy.ci95"], abs=0.03)


def test_groups_are_drawn_whole(predictions: pd.DataFrame) -> None:
    """Each sample stands ten times: as groups they tell no more than one of each.

    A little less is random with groups, for the number of each label is fixed then.
    """
    tenfold = pd.concat([predictions] * 10, ignore_index=True)
    tenfold["group"] = tenfold["sample_id"]
    tenfold["sample_id"] = [str(row) for row in range(len(tenfold))]
    grouped, plain = bootstrap_scores(tenfold, RESAMPLES), bootstrap_scores(predictions, RESAMPLES)
    alone = bootstrap_scores(tenfold.assign(group=None), RESAMPLES)
    for name in ("macro_recall", "letters.case_auroc"):
        assert width(grouped, name) == pytest.approx(width(plain, name), rel=0.15)
        assert width(alone, name) < 0.5 * width(plain, name)


def width(scores: dict, name: str) -> float:
    low, high = scores[f"all.{name}.ci95"]
    return high - low


def test_the_interval_of_the_calibration_error_takes_its_bias_off() -> None:
    """Probabilities that are true have an error by chance, and resamples of them a larger one."""
    rng = np.random.default_rng(0)
    predictions = random_predictions(500)
    is_right = rng.random(500) < predictions["label_probability"]
    predictions["predicted_label"] = predictions["label"].where(is_right, "0")
    statistics = {"ece": calibration_error(predictions)}
    drawn = draw_statistics(sampling_design(predictions), statistics, RESAMPLES, seed=0)["ece"]
    scores = bootstrap_scores(predictions, RESAMPLES)
    assert drawn.mean() > scores["all.ece"] + 0.005
    low, high = scores["all.ece.ci95"]
    assert low <= scores["all.ece"] - 0.005 < high


def test_letters_of_one_case_have_no_roc() -> None:
    scores = bootstrap_scores(make_predictions(("а", True, "а", 0.9), ("7", None, "7", 0.1)), 10)
    assert "all.letters.case_auroc" not in scores
    assert scores["all.macro_recall"] == 1


def test_nothing_has_no_scores() -> None:
    assert bootstrap_scores(make_predictions(), 10) == {}


def test_labels_are_fixed_where_batches_hold_one_each() -> None:
    """One label is read always, the other never: batches of either differ in nothing."""
    rows = [("о", None, "о", 0.5)] * 50 + [("з", None, "3", 0.5)] * 50
    predictions = make_predictions(*rows)
    predictions["group"] = [f"batch-{place // 10}" for place in range(100)]
    low, high = bootstrap_scores(predictions, 100)["paper.macro_recall.ci95"]
    assert low == high == 0.5


def test_two_batches_of_a_label_are_as_uncertain_as_two_are() -> None:
    """Of a wholly right and a wholly wrong batch the mean has a standard error of one half."""
    rows = [("о", None, "о", 0.5)] * 10 + [("о", None, "3", 0.5)] * 10
    predictions = make_predictions(*rows)
    predictions["group"] = ["first"] * 10 + ["second"] * 10
    statistics = {"macro_recall": macro_recall(predictions)}
    drawn = draw_statistics(sampling_design(predictions), statistics, 500, seed=0)["macro_recall"]
    assert np.std(drawn) == pytest.approx(0.5, abs=0.02)


def test_symbols_of_one_batch_each_share_a_stratum() -> None:
    """They differ by more than chance, but one batch alone would not show any."""
    rows = (
        [("о", None, "о", 0.5)] * 20 + [("з", None, "3", 0.5)] * 10 + [("к", None, "к", 0.5)] * 10
    )
    predictions = make_predictions(*rows)
    predictions["group"] = [f"batch-{place // 10}" for place in range(40)]
    assert list(sampling_design(predictions).stratum_N) == [0] * 20 + [1] * 20
    assert len(set(sampling_design(predictions).unit_N)) == 4
