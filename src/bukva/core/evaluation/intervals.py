"""How far a measured share can be from the truth, and whether two differ."""

from collections.abc import Callable
from math import sqrt
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from bukva.errors import TableError

Interval = tuple[float, float]

_RESAMPLED_VALUES_AT_ONCE: Final = 4_000_000


def wilson_interval(
    successes: int, total: int, confidence: float = 0.95, *, design_effect: float = 1.0
) -> Interval:
    """Return the score interval of a share (Wilson 1927): `282, 300` gives about 0.907, 0.962.

    Unlike the normal approximation and the bootstrap it stays within 0..1 and keeps a width where
    nothing, or everything, is a success.

    Args:
        successes: How many.
        total: Of how many.
        confidence: Share of intervals that hold the truth, 0..1.
        design_effect: Samples that tell as much as one independent sample; see `design_effect`.

    Raises:
        TableError: If `total` is not positive or `successes` is not in 0..total.
    """
    if total < 1 or not 0 <= successes <= total:
        message = f"Expected a count in 0..total with total > 0, got {successes} of {total}."
        raise TableError(message)
    share, effective = successes / total, total / design_effect
    z = float(special.ndtri((1 + confidence) / 2))
    centre = share + z**2 / (2 * effective)
    half = z * sqrt(share * (1 - share) / effective + (z / (2 * effective)) ** 2)
    scale = 1 + z**2 / effective
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)


def design_effect(values: ArrayLike, unit: ArrayLike, stratum: ArrayLike) -> float:
    """Return by how much samples that come in groups widen the variance of their mean (Kish 1965).

    It is the variance between units, within strata, over that of independent samples, at least 1.
    An interval that takes the samples for `total / design_effect` independent ones is as wide
    as their number and their likeness allow (Korn and Graubard 1998). A stratum of one unit says
    nothing of the variance between units, and adds none.

    Args:
        values: `(N,)`, one number a sample, as whether it is right.
        unit: `(N,)` integers from 0, the unit of each sample; each lies in one stratum.
        stratum: `(N,)` integers from 0, what is fixed.
    """
    values_N, unit_N = np.asarray(values, dtype=float), np.asarray(unit)
    samples, variance = len(values_N), float(values_N.var())
    if variance == 0 or len(np.unique(unit_N)) == samples:
        return 1.0
    stratum_N = np.asarray(stratum)
    mean_S = np.bincount(stratum_N, weights=values_N) / np.bincount(stratum_N)
    residual_U = np.bincount(unit_N, weights=values_N - mean_S[stratum_N])
    stratum_U = np.zeros(len(residual_U), dtype=np.int64)
    stratum_U[unit_N] = stratum_N
    units_S = np.bincount(stratum_U, minlength=len(mean_S))
    correction_S = units_S / np.maximum(units_S - 1, 1)
    between = float((np.square(residual_U) * correction_S[stratum_U]).sum())
    return max(1.0, between / (samples * variance))


def bootstrap_interval(
    values: ArrayLike,
    statistic: Callable[..., Any] = np.mean,
    *,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Interval:
    """Return the percentile bootstrap interval of a statistic (Efron 1979).

    Args:
        values: `(N,)`, one number a sample.
        statistic: Maps `(N,)` to a number; one that takes `axis`, as numpy's do, is much faster.
        confidence: Share of intervals that hold the truth, 0..1.
        resamples: How often the samples are drawn anew.
        seed: Of the draws; the same seed gives the same interval.

    Raises:
        TableError: If there are fewer than two values.
    """
    values_N = np.asarray(values)
    if values_N.ndim != 1 or len(values_N) < 2:
        message = f"Expected at least two values in one dimension, got shape {values_N.shape}."
        raise TableError(message)
    from scipy import stats

    interval = stats.bootstrap(
        (values_N,),
        statistic,
        confidence_level=confidence,
        n_resamples=resamples,
        batch=max(1, _RESAMPLED_VALUES_AT_ONCE // len(values_N)),
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return float(interval.low), float(interval.high)


def t_interval(values: ArrayLike, confidence: float = 0.95) -> Interval:
    """Return the interval of a mean of few, normally spread values (Student 1908).

    Args:
        values: `(N,)`, such as the accuracies of N seeds.
        confidence: Share of intervals that hold the truth, 0..1.

    Raises:
        TableError: If there are fewer than two values.
    """
    values_N = np.asarray(values, dtype=float)
    if values_N.ndim != 1 or len(values_N) < 2:
        message = f"Expected at least two values in one dimension, got shape {values_N.shape}."
        raise TableError(message)
    from scipy import stats

    quantile = stats.t.ppf((1 + confidence) / 2, len(values_N) - 1)
    half_width = float(quantile * stats.sem(values_N))
    return float(values_N.mean()) - half_width, float(values_N.mean()) + half_width


def mcnemar_p_value(only_first_right: int, only_second_right: int) -> float:
    """Return the exact two-sided p-value that two classifiers are equally good (McNemar 1947).

    Only samples on which they differ tell anything; without any the p-value is 1.
    """
    differing = only_first_right + only_second_right
    if differing == 0:
        return 1.0
    from scipy import stats

    return float(stats.binomtest(only_first_right, differing).pvalue)


def paired_difference_interval(
    first_right: ArrayLike,
    second_right: ArrayLike,
    confidence: float = 0.95,
    *,
    design_effect: float = 1.0,
) -> Interval:
    """Return the interval of the difference in accuracy, second minus first, on the same samples.

    It combines the two Wilson intervals and the correlation of the answers (Newcombe 1998, method
    10), and so has a width even where the two never differ.

    Args:
        first_right: `(N,)` booleans, whether the first classifier is right.
        second_right: `(N,)` booleans, whether the second is right on the same samples.
        confidence: Share of intervals that hold the truth, 0..1.
        design_effect: Of the differences, where samples come in groups.

    Raises:
        TableError: If there are no samples or the lengths differ.
    """
    first_N, second_N = np.asarray(first_right, dtype=bool), np.asarray(second_right, dtype=bool)
    if first_N.shape != second_N.shape:
        message = f"Expected one answer a sample from both, got {first_N.shape}, {second_N.shape}."
        raise TableError(message)
    first, second, total = int(first_N.sum()), int(second_N.sum()), first_N.size
    first_low, first_high = wilson_interval(first, total, confidence)
    second_low, second_high = wilson_interval(second, total, confidence)
    first_share, second_share = first / total, second / total
    correlation = _corrected_phi(first_N, second_N)
    difference = second_share - first_share
    below = _distance(second_share - second_low, first_high - first_share, correlation)
    above = _distance(second_high - second_share, first_share - first_low, correlation)
    widening = sqrt(design_effect)
    return difference - widening * below, difference + widening * above


def _distance(one: float, other: float, correlation: float) -> float:
    return sqrt(max(0.0, one**2 - 2 * correlation * one * other + other**2))


def _corrected_phi(first_N: NDArray[np.bool_], second_N: NDArray[np.bool_]) -> float:
    """Return the correlation of two rows of answers, a positive one corrected for continuity."""
    total, first, second = first_N.size, int(first_N.sum()), int(second_N.sum())
    margins = first * (total - first) * second * (total - second)
    if margins == 0:
        return 0.0
    covariance = float(total * int((first_N & second_N).sum()) - first * second)
    if covariance > 0:
        covariance = max(covariance - total / 2, 0.0)
    return covariance / sqrt(margins)
