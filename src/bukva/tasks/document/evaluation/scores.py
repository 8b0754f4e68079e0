"""Scores of the two classes, with intervals over documents and hands.

`handwritten` is the positive class where precision, recall and F1 need one.

Shapes: N samples, K = 2 labels, G groups, R resamples.
"""

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import softmax

from bukva.core.arrays import Float32Array, UInt8Array
from bukva.core.evaluation.intervals import design_effect
from bukva.core.evaluation.scores import DECIMALS, score_difference, score_share
from bukva.core.task import Scores
from bukva.tasks.document.answer import LABELS
from bukva.tasks.document.drawn_lines import DRAWN
from bukva.tasks.document.recogniser import DocumentRecogniser

_RESAMPLES: Final = 1000


def measure_epoch(logits_NK: Float32Array, classes_N: NDArray[np.int64]) -> dict[str, float]:
    """Return accuracy, balanced accuracy, precision, recall, F1 and ROC AUC of an epoch."""
    from sklearn.metrics import (
        balanced_accuracy_score,
        f1_score,
        precision_score,
        recall_score,
        roc_auc_score,
    )

    is_hand_N, said_N = classes_N == 0, logits_NK.argmax(axis=1) == 0
    both = 0 < is_hand_N.sum() < len(is_hand_N)
    probability_N = softmax(logits_NK, axis=1)[:, 0]
    measures = {
        "valid_accuracy": (is_hand_N == said_N).mean(),
        "valid_balanced_accuracy": balanced_accuracy_score(is_hand_N, said_N) if both else np.nan,
        "valid_precision": precision_score(is_hand_N, said_N, zero_division=0),
        "valid_recall": recall_score(is_hand_N, said_N, zero_division=0),
        "valid_f1": f1_score(is_hand_N, said_N, zero_division=0),
        "valid_roc_auc": roc_auc_score(is_hand_N, probability_N) if both else np.nan,
    }
    return {name: float(value) for name, value in measures.items()}


def predict(
    recogniser: DocumentRecogniser, tests: pd.DataFrame, images_NHW: UInt8Array
) -> pd.DataFrame:
    """Return the samples with what is predicted: `predicted`, and `probability` of handwriting."""
    return with_probability(tests, recogniser.probabilities(images_NHW)[:, 0])


def with_probability(tests: pd.DataFrame, hand_N: Float32Array) -> pd.DataFrame:
    """Return the samples with the label that a probability of handwriting means."""
    predicted = np.where(hand_N >= 0.5, *LABELS)
    return tests.assign(predicted=predicted, probability=hand_N.astype(float))


def compare(first: pd.DataFrame, second: pd.DataFrame) -> Scores:
    """Return the differences, second minus first: of all lines, and of each label's recall."""
    scores: Scores = {}
    for measure, label in {"accuracy": None, **{f"{each}.recall": each for each in LABELS}}.items():
        chosen_N = first["label"].eq(label).to_numpy() if label else np.ones(len(first), dtype=bool)
        if not chosen_N.any():
            continue
        one_N, other_N = (
            each["label"].eq(each["predicted"]).to_numpy()[chosen_N] for each in (first, second)
        )
        effect = _effect(first[chosen_N], other_N.astype(float) - one_N)
        scores |= score_difference(measure, one_N, other_N, effect)
    return scores


def score(predictions: pd.DataFrame, resamples: int = _RESAMPLES) -> Scores:
    """Return all measures over all test lines, of `corpora` without drawn ones, and of each."""
    from sklearn.metrics import precision_score

    from bukva.core.evaluation.calibration import calibration_bins

    is_hand = predictions["label"].eq(LABELS[0])
    said_hand = predictions["predicted"].eq(LABELS[0])
    precision = float(precision_score(is_hand, said_hand, zero_division=0))
    scores = {
        **_score_scope("all", predictions, resamples),
        "all.precision": round(precision, DECIMALS),
    }
    recall = scores.get("all.handwritten.recall", 0.0)
    total = precision + recall
    scores["all.f1"] = round(2 * precision * recall / total if total else 0.0, DECIMALS)
    bins = calibration_bins(_confidence(predictions), is_hand.eq(said_hand))
    filled = bins[bins["count"] > 0]
    gaps = (filled["confidence"] - filled["accuracy"]).abs()
    scores["all.ece"] = round(float(np.average(gaps, weights=filled["count"])), DECIMALS)
    people = predictions[predictions["corpus"].ne(DRAWN)]
    if people["label"].nunique() == 2:
        scores |= _score_scope("corpora", people, resamples)
    for corpus, rows in predictions.groupby("corpus", sort=True):
        scores |= _score_scope(str(corpus), rows, resamples)
    return scores


def _confidence(predictions: pd.DataFrame) -> NDArray[np.float64]:
    probability_N = predictions["probability"].to_numpy(dtype=float)
    return np.asarray(np.maximum(probability_N, 1 - probability_N))


def _score_scope(scope: str, rows: pd.DataFrame, resamples: int) -> dict[str, Any]:
    right = rows["label"].eq(rows["predicted"])
    scores = score_share(f"{scope}.accuracy", right.to_numpy(), _effect(rows, right))
    for label in LABELS:
        of_label = rows["label"].eq(label)
        if of_label.any():
            chosen = right[of_label]
            effect = _effect(rows[of_label], chosen)
            scores |= score_share(f"{scope}.{label}.recall", chosen.to_numpy(), effect)
    if rows["label"].nunique() == 2:
        scores |= score_balanced(scope, rows, resamples)
    return scores


def score_balanced(scope: str, rows: pd.DataFrame, resamples: int = _RESAMPLES) -> Scores:
    """Return balanced accuracy and ROC AUC, with 95 % intervals over whole groups (bootstrap)."""
    from sklearn.metrics import roc_auc_score

    group_N = pd.factorize(rows["corpus"] + "/" + rows["group"].astype(str))[0]
    is_hand_N = rows["label"].eq(LABELS[0]).to_numpy()
    right_N = rows["label"].eq(rows["predicted"]).to_numpy()
    groups = int(group_N.max()) + 1
    counts_GC = np.zeros((groups, 4))
    np.add.at(counts_GC, (group_N, 2 * is_hand_N + right_N), 1)
    rng = np.random.default_rng(0)
    drawn_RG = rng.multinomial(groups, np.full(groups, 1 / groups), size=resamples)
    balanced_R = _balanced(drawn_RG @ counts_GC)
    low, high = np.nanquantile(balanced_R, [0.025, 0.975])
    probability_N = rows["probability"].to_numpy(dtype=float)
    auc = roc_auc_score(is_hand_N, probability_N)
    return {
        f"{scope}.balanced_accuracy": round(float(_balanced(counts_GC.sum(axis=0))), DECIMALS),
        f"{scope}.balanced_accuracy.ci95": [round(float(low), 4), round(float(high), 4)],
        f"{scope}.roc_auc": round(float(auc), DECIMALS),
        f"{scope}.groups": groups,
    }


def _balanced(counts: NDArray[np.float64]) -> Any:
    """Return the mean of both recalls; wrong and right printed, wrong and right handwritten."""
    with np.errstate(invalid="ignore"):
        printed = counts[..., 1] / (counts[..., 0] + counts[..., 1])
        hand = counts[..., 3] / (counts[..., 2] + counts[..., 3])
    return (printed + hand) / 2


def _effect(rows: pd.DataFrame, values: Any) -> float:
    unit = pd.factorize(rows["corpus"] + "/" + rows["group"].astype(str))[0]
    return design_effect(np.asarray(values, dtype=float), unit, pd.factorize(rows["corpus"])[0])


def recall_at_specificity(rows: pd.DataFrame, specificity: float) -> float:
    """Return the recall of handwriting where so many printed lines are taken for what they are."""
    is_hand = rows["label"].eq(LABELS[0])
    limit = float(np.quantile(rows.loc[~is_hand, "probability"], specificity, method="higher"))
    return float((rows.loc[is_hand, "probability"] > limit).mean())
