"""Statistics of weighted samples, so that many resamples are one array and no loop.

Each function takes a prediction table and returns a statistic: a function from weights, float32
`(R, N)`, how often each of R resamples holds each of the N samples, to `(R,)` values.

Shapes: R resamples, N samples, K labels, B bins.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bukva.charset import LABELS
from bukva.data.samples import Float32Array
from bukva.evaluation.predictions import is_label_right, label_indices

FloatArray: TypeAlias = NDArray[np.floating]
Statistic: TypeAlias = Callable[[Float32Array], FloatArray]

_BINS: Final = 15


def macro_recall(predictions: pd.DataFrame) -> Statistic:
    """Return the mean, over the labels that occur, of the share of each that is read rightly."""
    count_labels = _label_counter(predictions)

    def statistic(weights_RN: Float32Array) -> FloatArray:
        right_RK, support_RK, _ = count_labels(weights_RN)
        return _mean_where(right_RK / np.maximum(support_RK, 1), support_RK > 0)

    return statistic


def macro_f1(predictions: pd.DataFrame) -> Statistic:
    """Return the mean F1 over the labels that occur; one that is only ever predicted is none."""
    count_labels = _label_counter(predictions)

    def statistic(weights_RN: Float32Array) -> FloatArray:
        right_RK, support_RK, predicted_RK = count_labels(weights_RN)
        f1_RK = 2 * right_RK / np.maximum(support_RK + predicted_RK, 1)
        return _mean_where(f1_RK, support_RK > 0)

    return statistic


def calibration_error(predictions: pd.DataFrame) -> Statistic:
    """Return the expected calibration error of the label, as `expected_calibration_error`."""
    probability_N = predictions["label_probability"].to_numpy(dtype=float)
    gap_N = probability_N - is_label_right(predictions)
    bin_N = np.minimum((probability_N * _BINS).astype(int), _BINS - 1)
    gap_NB = np.eye(_BINS, dtype=np.float32)[bin_N] * gap_N[:, None].astype(np.float32)

    def statistic(weights_RN: Float32Array) -> FloatArray:
        # In each bin |confidence - accuracy| times its weight is the |sum of the gaps|.
        error_R: FloatArray = np.abs(weights_RN @ gap_NB).sum(axis=1) / weights_RN.sum(axis=1)
        return error_R

    return statistic


def case_auroc(predictions: pd.DataFrame) -> Statistic:
    """Return the chance that a capital looks more like one than a small letter does (Hanley 1982).

    That is the area under the ROC curve; equal probabilities count half.

    Args:
        predictions: Letters whose case is known.
    """
    probability_N = predictions["uppercase_probability"].to_numpy(dtype=float)
    is_upper_N = predictions["is_uppercase"].to_numpy(dtype=bool)
    order_N = np.argsort(probability_N, kind="stable")
    starts = np.unique(probability_N[order_N], return_index=True)[1]

    def statistic(weights_RN: Float32Array) -> FloatArray:
        upper_RN, lower_RN = weights_RN * is_upper_N, weights_RN * ~is_upper_N
        upper_RB, lower_RB = (
            np.add.reduceat(side_RN[:, order_N], starts, axis=1, dtype=np.float64)
            for side_RN in (upper_RN, lower_RN)
        )
        below_RB = lower_RB.cumsum(axis=1) - lower_RB / 2
        pairs_R = upper_RB.sum(axis=1) * lower_RB.sum(axis=1)
        area_R: FloatArray = (upper_RB * below_RB).sum(axis=1) / np.where(pairs_R, pairs_R, np.nan)
        return area_R

    return statistic


def _label_counter(
    predictions: pd.DataFrame,
) -> Callable[[Float32Array], tuple[FloatArray, FloatArray, FloatArray]]:
    """Return a function from weights to right, true and predicted counts, each `(R, K)`."""
    one_hot_KK = np.eye(len(LABELS), dtype=np.float32)
    true_NK = one_hot_KK[label_indices(predictions["label"])]
    predicted_NK = one_hot_KK[label_indices(predictions["predicted_label"])]

    def count(weights_RN: Float32Array) -> tuple[FloatArray, FloatArray, FloatArray]:
        return (
            weights_RN @ (true_NK * predicted_NK), weights_RN @ true_NK, weights_RN @ predicted_NK
        )  # fmt: skip

    return count


def _mean_where(values_RK: FloatArray, is_counted_RK: NDArray[np.bool_]) -> FloatArray:
    mean_R: FloatArray = (values_RK * is_counted_RK).sum(axis=1) / is_counted_RK.sum(axis=1)
    return mean_R
