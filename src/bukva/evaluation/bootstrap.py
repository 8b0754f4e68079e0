"""Scores whose uncertainty no formula gives: their intervals are bootstrapped.

A resample draws whole groups (writers, scan batches) where the table knows them, within each label:
samples of one group are alike, and drawing them one by one would promise too much (Davison and
Hinkley 1997, section 3.8). Of the m units of a stratum it draws m - 1 and weighs them by m/(m - 1),
for a plain bootstrap of few units is too narrow (Rao and Wu 1988).

A share of samples, as an accuracy, keeps its closed form (`intervals`): where nothing is wrong no
resample shows a mistake either, and the bootstrap's interval would have no width.

Shapes: R resamples, N samples, U independent units, S strata, D draws.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
import pandas as pd

from bukva.data.samples import Float32Array
from bukva.evaluation.metrics import DECIMALS, Scores, by_scope
from bukva.evaluation.predictions import Design, has_case, require_columns, sampling_design
from bukva.evaluation.statistics import (
    FloatArray,
    Statistic,
    calibration_error,
    case_auroc,
    macro_f1,
    macro_recall,
)

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
    require_columns(predictions)
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
