"""How well probabilities rank: ROC curves, and what an answer withheld is worth.

Shapes: N samples, K labels, P points of a curve.
"""

from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import auc, roc_curve

from bukva.charset import LABELS
from bukva.errors import TableError
from bukva.evaluation.predictions import is_label_right, label_indices

FloatArray = NDArray[np.float64]

_GRID_P: Final = np.concatenate([[0.0], np.logspace(-6, 0, 400)])


class RocCurve(NamedTuple):
    """Shares `(P,)` of what is not it, and of what is, that a falling threshold lets in."""

    false_positive_P: FloatArray
    true_positive_P: FloatArray

    @property
    def area(self) -> float:
        """Area under the curve, 0..1; 0.5 is chance."""
        return float(auc(self.false_positive_P, self.true_positive_P))


def measure_roc(is_it: NDArray[np.bool_], score: FloatArray) -> RocCurve:
    """Return the ROC curve (Fawcett 2006, "An introduction to ROC analysis").

    Args:
        is_it: `(N,)`, True for what is to be found; both must occur.
        score: `(N,)`, higher where it is likelier.
    """
    false_positive_P, true_positive_P, _ = roc_curve(is_it, score)
    return RocCurve(false_positive_P, true_positive_P)


def label_roc(predictions: pd.DataFrame) -> dict[str, RocCurve]:
    """Return the ROC curve of each label against all others, by label, where both occur.

    Raises:
        TableError: If the table does not hold the probabilities of all 43 labels.
    """
    label_NK, true_N = _probabilities(predictions), label_indices(predictions["label"])
    occurring = [int(index) for index in np.unique(true_N)]
    if len(occurring) < 2:
        return {}
    return {
        LABELS[index]: measure_roc(true_N == index, label_NK[:, index].astype(float))
        for index in occurring
    }


def micro_roc(predictions: pd.DataFrame) -> RocCurve:
    """Return the ROC curve over all pairs of a sample and a label: is it that label?"""
    label_NK, true_N = _probabilities(predictions), label_indices(predictions["label"])
    is_it_NK = true_N[:, None] == np.arange(len(LABELS))
    return measure_roc(is_it_NK.ravel(), label_NK.ravel().astype(float))


def macro_roc(curves: dict[str, RocCurve]) -> RocCurve:
    """Return the mean of curves: every label counts the same, however rare."""
    heights = [
        np.interp(_GRID_P, curve.false_positive_P, curve.true_positive_P)
        for curve in curves.values()
    ]
    return RocCurve(_GRID_P, np.mean(heights, axis=0))


def risk_coverage(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the share misread among the answers that the recogniser is surest of.

    Geifman and El-Yaniv 2017, "Selective Classification for Deep Neural Networks".

    Returns:
        One row a sample, the surest first: `coverage` (share answered so far), `risk` (share of
        those misread) and `threshold` (the probability that lets them in), all 0..1.
    """
    ranked = predictions.sort_values("label_probability", ascending=False, kind="stable")
    count_N = np.arange(1, len(ranked) + 1)
    return pd.DataFrame(
        {
            "coverage": count_N / max(1, len(ranked)),
            "risk": (~is_label_right(ranked)).cumsum() / count_N,
            "threshold": ranked["label_probability"].to_numpy(dtype=float),
        }
    )


def _probabilities(predictions: pd.DataFrame) -> NDArray[np.float32]:
    rows = list(predictions.get("label_probabilities", []))
    if len(rows) != len(predictions) or any(len(row) != len(LABELS) for row in rows):
        message = (
            f"Expected the probabilities of all {len(LABELS)} labels in the column "
            "'label_probabilities', got fewer: predict with a network of all labels."
        )
        raise TableError(message)
    return np.array(rows, dtype=np.float32).reshape(len(rows), len(LABELS))
