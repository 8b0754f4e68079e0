"""Scores whose uncertainty no formula gives: their intervals are bootstrapped.

A resample draws whole groups (writers, scan batches) where the table knows them, within each label:
samples of one group are alike, and drawing them one by one would promise too much (Davison and
Hinkley 1997, section 3.8). Of the m units of a stratum it draws m - 1 and weighs them by m/(m - 1),
for a plain bootstrap of few units is too narrow (Rao and Wu 1988).

A share of samples, as an accuracy, keeps its closed form (`intervals`): where nothing is wrong no
resample shows a mistake either, and the bootstrap's interval would have no width.

Shapes: R resamples, N samples, U independent units, S strata, D draws.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bukva.core.arrays import Float32Array
from bukva.core.evaluation.scores import DECIMALS
from bukva.core.task import Scores
from bukva.tasks.glyph.charset import LABELS
from bukva.tasks.glyph.evaluation.metrics import by_scope
from bukva.tasks.glyph.evaluation.predictions import (
    Design,
    has_case,
    is_label_right,
    label_indices,
    require_predictions,
    sampling_design,
)

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


_WEIGHTS_AT_ONCE: Final = 4_000_000
_CONFIDENCE: Final = 0.95
# Chance makes every calibration error larger, resampled noise once more: the bias is taken off.
_BIASED: Final = frozenset({"ece"})


def bootstrap_scores(predictions: pd.DataFrame, resamples: int, seed: int = 0) -> Scores:
    """Return statistics without a closed form, with bootstrapped 95 % intervals.

    The keys are `<scope>.macro_recall`, `.macro_f1`, `.ece` (expected calibration error of the
    label, 15 bins) and `.letters.case_auroc`, scopes as in `score`. Keys without samples are
    absent, as is the case's where all letters have the same.

    Args:
        predictions: The prediction table.
        resamples: How often the samples are drawn anew.
        seed: Of the draws; the same seed gives the same intervals.

    Raises:
        TableError: As `score`.
    """
    require_predictions(predictions)
    scores: Scores = {}
    for scope, rows in by_scope(predictions).items():
        if len(rows):
            labels = {"macro_recall": macro_recall, "macro_f1": macro_f1, "ece": calibration_error}
            statistics = {name: make(rows) for name, make in labels.items()}
            scores |= _scores(scope, rows, statistics, resamples, seed)
        letters = rows[has_case(rows)]
        if letters["is_uppercase"].nunique() == 2:
            statistics = {"case_auroc": case_auroc(letters)}
            scores |= _scores(f"{scope}.letters", letters, statistics, resamples, seed)
    return scores


def _scores(
    prefix: str,
    rows: pd.DataFrame,
    statistics: Mapping[str, Statistic],
    resamples: int,
    seed: int,
) -> Scores:
    scores: Scores = {}
    drawn = draw_statistics(sampling_design(rows), statistics, resamples, seed)
    whole_1N = np.ones((1, len(rows)), dtype=np.float32)
    for name, statistic in statistics.items():
        value = float(statistic(whole_1N)[0])
        interval = _interval(drawn[name], value, is_biased=name in _BIASED)
        key = f"{prefix}.{name}"
        scores[key] = round(value, DECIMALS)
        scores[f"{key}.ci95"] = [round(bound, DECIMALS) for bound in interval]
        scores[f"{key}.n"] = len(rows)
    return scores


def draw_statistics(
    design: Design, statistics: Mapping[str, Statistic], resamples: int, seed: int
) -> dict[str, FloatArray]:
    """Return `(R,)` values of each statistic, all of them on the same resamples of units."""
    values: dict[str, list[FloatArray]] = {name: [] for name in statistics}
    for weights_RN in _draw_weights(design, resamples, seed):
        for name, statistic in statistics.items():
            values[name].append(statistic(weights_RN))
    return {name: np.concatenate(parts) for name, parts in values.items()}


def _draw_weights(design: Design, resamples: int, seed: int) -> Iterator[Float32Array]:
    """Yield, some resamples at a time, what each sample weighs in each: float32 `(R, N)`."""
    rng = np.random.default_rng(seed)
    stratum_U = np.zeros(int(design.unit_N.max()) + 1, dtype=np.int64)
    stratum_U[design.unit_N] = design.stratum_N
    order_U, units_S = np.argsort(stratum_U, kind="stable"), np.bincount(stratum_U)
    draws_S, start_S = np.maximum(units_S - 1, 0), np.cumsum(units_S) - units_S
    weight_U = (units_S / np.maximum(draws_S, 1))[stratum_U]
    size_D, start_D = (np.repeat(of_S, draws_S) for of_S in (units_S, start_S))
    at_once = max(1, _WEIGHTS_AT_ONCE // len(design.unit_N))
    for first in range(0, resamples, at_once):
        count = min(at_once, resamples - first)
        place_RD = start_D + (rng.random((count, len(size_D))) * size_D).astype(np.int64)
        unit_RD = order_U[place_RD] + len(order_U) * np.arange(count)[:, None]
        often = np.bincount(unit_RD.ravel(), minlength=count * len(order_U))
        weight_RU = often.reshape(count, -1) * weight_U
        # One unit alone is always there: nothing is known of how another would have been.
        weight_RU[:, units_S[stratum_U] == 1] = 1
        yield weight_RU.astype(np.float32)[:, design.unit_N]


def _interval(drawn_R: FloatArray, value: float, *, is_biased: bool) -> tuple[float, float]:
    """Return the percentile interval, or the basic one, which takes a bias off, within 0..1.

    Davison and Hinkley 1997, sections 5.2.1 and 5.3.1.
    """
    tail = (1 - _CONFIDENCE) / 2
    low, high = np.nanquantile(drawn_R, [tail, 1 - tail]).tolist()
    if is_biased:
        low, high = 2 * value - high, 2 * value - low
    return max(0.0, low), min(1.0, high)
