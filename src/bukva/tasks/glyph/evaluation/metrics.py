"""Scores of a prediction table (see `predictions`), each with its interval and its count.

A digit has no case: case and joint accuracy are taken over letters whose case is known.
"""

from math import ceil
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from bukva.core.arrays import BoolArray
from bukva.core.evaluation.calibration import calibration_bins
from bukva.core.evaluation.intervals import design_effect
from bukva.core.evaluation.scores import score_difference, score_share
from bukva.core.task import Scores
from bukva.errors import TableError
from bukva.tasks.glyph.charset import LABELS
from bukva.tasks.glyph.evaluation.predictions import (
    confusion_matrix,
    has_case,
    is_case_right,
    is_label_right,
    is_letter,
    require_predictions,
    sampling_design,
)

_RESERVED_SCOPES: Final = ("all", "published")


def score(predictions: pd.DataFrame) -> Scores:
    """Return accuracies by corpus, on the published test samples, and over all.

    The keys are `<scope>.label_accuracy`, `<scope>.top3_accuracy` (the true label is among the
    three likeliest), `<scope>.letters.label_accuracy`, `<scope>.letters.case_accuracy` and
    `<scope>.letters.joint_accuracy` (label and case both right), where a scope is a corpus,
    `published` or `all`; and `<scope>.accuracy_at_90_coverage`, the label accuracy on the nine
    tenths of the samples that the recogniser is surest of. Keys without samples are absent.

    All are shares, so their intervals are Wilson's; where samples come in groups (scan batches),
    he is given the number of independent samples that they are worth.

    Raises:
        TableError: If columns are missing, or a corpus is called like another scope.
    """
    require_predictions(predictions)
    scores: Scores = {}
    for scope, rows in by_scope(predictions).items():
        for measure, (is_right_N, is_counted_N) in _measures(rows).items():
            scores |= share(f"{scope}.{measure}", is_right_N[is_counted_N], rows[is_counted_N])
        surest = _surest(rows)
        key = f"{scope}.accuracy_at_90_coverage"
        scores |= share(key, is_label_right(surest), surest)
    return scores


def by_scope(predictions: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the rows of each corpus, of the published test samples, and all.

    Raises:
        TableError: If a corpus is called like another scope.
    """
    scopes = {str(corpus): rows for corpus, rows in predictions.groupby("corpus", sort=True)}
    taken = sorted(scopes.keys() & set(_RESERVED_SCOPES))
    if taken:
        message = f"Expected no corpus called {taken}: these names stand for sets of scores."
        raise TableError(message)
    is_published = predictions["is_published"].astype(bool)
    return scopes | {"published": predictions[is_published], "all": predictions}


def _measures(rows: pd.DataFrame) -> dict[str, tuple[BoolArray, BoolArray]]:
    """Return by measure whether each row is right, and whether it is counted."""
    is_label_right_N, is_case_right_N = is_label_right(rows), is_case_right(rows)
    is_letter_N, has_case_N = is_letter(rows), has_case(rows)
    is_any_N = np.ones(len(rows), dtype=bool)
    is_near_N = rows["true_label_rank"].le(3).to_numpy(dtype=bool)
    return {
        "label_accuracy": (is_label_right_N, is_any_N),
        "top3_accuracy": (is_near_N, is_any_N),
        "letters.label_accuracy": (is_label_right_N, is_letter_N),
        "letters.case_accuracy": (is_case_right_N, has_case_N),
        "letters.joint_accuracy": (is_label_right_N & is_case_right_N, has_case_N),
    }


def _surest(rows: pd.DataFrame, coverage: float = 0.9) -> pd.DataFrame:
    """Return the share of the rows whose predicted labels have the highest probabilities."""
    ranked = rows.sort_values("label_probability", ascending=False, kind="stable")
    return ranked.head(ceil(coverage * len(rows)))


def share(key: str, is_right_N: BoolArray, rows: pd.DataFrame) -> Scores:
    """Return the share of right rows with its interval and count; nothing without rows."""
    if not len(is_right_N):
        return {}
    return score_share(key, is_right_N, design_effect(is_right_N, *sampling_design(rows)))


def per_class_report(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return one row a label that occurs, in the order of the charset.

    Columns: `label`, `support` (samples of it), `precision`, `recall`, `f1`, `case_accuracy`.
    A share of nothing (no sample, never predicted, a digit's case) is missing, never 0.
    """
    require_predictions(predictions)
    counts_KK = confusion_matrix(predictions)
    support_K, predicted_K = counts_KK.sum(axis=1), counts_KK.sum(axis=0)
    right_K = counts_KK.diagonal()
    report = pd.DataFrame(
        {
            "label": list(LABELS),
            "support": support_K,
            "precision": _divide(right_K, predicted_K),
            "recall": _divide(right_K, support_K),
            "f1": _divide(2 * right_K, support_K + predicted_K),
        }
    )
    report["case_accuracy"] = report["label"].map(_case_accuracy_by_label(predictions))
    occurs = pd.Series(support_K + predicted_K > 0)
    return report[occurs].reset_index(drop=True)


def _divide(numerator: ArrayLike, denominator: ArrayLike) -> pd.Series:
    numbers = pd.Series(np.asarray(numerator, dtype=float))
    return numbers / pd.Series(np.asarray(denominator, dtype=float)).replace(0.0, np.nan)


def _case_accuracy_by_label(predictions: pd.DataFrame) -> pd.Series:
    has_case_N = has_case(predictions)
    is_right = pd.Series(is_case_right(predictions)[has_case_N], dtype=float)
    return is_right.groupby(predictions["label"].to_numpy()[has_case_N]).mean()


def misread_pairs(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return which label was read as which other, most frequent first.

    Columns: `label`, `predicted_label`, `count`, `share` (of the label's samples, 0..1).
    """
    require_predictions(predictions)
    counts_KK = confusion_matrix(predictions)
    true_P, predicted_P = np.nonzero(counts_KK - np.diag(counts_KK.diagonal()))
    labels = np.array(list(LABELS))
    pairs = pd.DataFrame(
        {
            "label": labels[true_P],
            "predicted_label": labels[predicted_P],
            "count": counts_KK[true_P, predicted_P],
            "share": counts_KK[true_P, predicted_P] / counts_KK.sum(axis=1)[true_P],
        }
    )
    return pairs.sort_values(["count", "share"], ascending=False, kind="stable", ignore_index=True)


def expected_calibration_error(probability: ArrayLike, correct: ArrayLike, bins: int = 15) -> float:
    """Return the mean distance of confidence and accuracy over bins, 0..1 (Naeini et al. 2015).

    Args:
        probability: `(N,)`, 0..1, of the answer that was given.
        correct: `(N,)` booleans, whether that answer is right.
        bins: How many, of equal width.

    Raises:
        TableError: As `calibration_bins`.
    """
    table = calibration_bins(probability, correct, bins)
    gap = (table["confidence"] - table["accuracy"]).abs().fillna(0.0)
    return float(np.average(gap, weights=table["count"]))


def compare(first: pd.DataFrame, second: pd.DataFrame) -> Scores:
    """Compare two recognisers on the same samples; a difference is second minus first.

    For each of `label_accuracy`, `top3_accuracy` and `letters.label_accuracy`, `.case_accuracy`,
    `.joint_accuracy` it gives `<measure>.difference`, its `.ci95` (Newcombe 1998, widened where
    samples come in groups) and `.n`, `<measure>.only_first_right`, `<measure>.only_second_right`,
    and `<measure>.p_value` (exact McNemar test). Measures without samples are absent.

    Raises:
        TableError: If a sample occurs twice, or only in one table, or with another truth.
    """
    first, second = _pair(first, second)
    comparison: Scores = {}
    first_measures, second_measures = _measures(first), _measures(second)
    for measure, (first_right_N, is_counted_N) in first_measures.items():
        second_right_N = second_measures[measure][0]
        comparison |= _difference(
            measure, first_right_N[is_counted_N], second_right_N[is_counted_N], first[is_counted_N]
        )
    return comparison


def _pair(first: pd.DataFrame, second: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return both tables in the order of the first one's samples."""
    for name, table in (("first", first), ("second", second)):
        require_predictions(table)
        if not table["sample_id"].is_unique:
            twice = table["sample_id"][table["sample_id"].duplicated()].iloc[0]
            message = f"Expected each sample once, got {twice!r} twice in the {name} table."
            raise TableError(message)
    first, second = first.set_index("sample_id"), second.set_index("sample_id")
    unpaired = first.index.symmetric_difference(second.index)
    if len(unpaired):
        message = (
            f"Expected two tables of the same samples, got {len(first)} and {len(second)} with "
            f"{len(unpaired)} in one only, as {unpaired[0]!r}: predict both on one test set."
        )
        raise TableError(message)
    second = second.loc[first.index]
    if not _truth(first).equals(_truth(second)):
        raise TableError("Expected one truth a sample, got other labels or cases in the second.")
    return first, second


def _truth(predictions: pd.DataFrame) -> pd.DataFrame:
    return predictions[["label", "is_uppercase"]].astype({"is_uppercase": "boolean"})


def _difference(
    measure: str, first_right_N: BoolArray, second_right_N: BoolArray, rows: pd.DataFrame
) -> Scores:
    if not len(first_right_N):
        return {}
    gain_N = second_right_N.astype(float) - first_right_N
    effect = design_effect(gain_N, *sampling_design(rows.reset_index()))
    return score_difference(measure, first_right_N, second_right_N, effect)
