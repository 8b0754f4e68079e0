"""Scores of several trainings together: folds, repeats, seeds.

The tables are prediction tables (see `predictions`) with two more columns: `trial`, one training,
and `scope`, what is scored together.

Shapes: N samples.
"""

import pandas as pd

from bukva.core.evaluation.intervals import (
    Interval,
    bootstrap_interval,
    t_interval,
    wilson_interval,
)
from bukva.core.task import Scores
from bukva.tasks.glyph.evaluation.predictions import has_case, is_case_right, is_label_right

_DECIMALS = 6


def score_out_of_fold(predictions: pd.DataFrame, prefix: str) -> Scores:
    """Return accuracies by scope, each sample's mean over its repeats taken first.

    The keys are `<prefix>.<scope>.label_accuracy`, `.case_accuracy` and `.joint_accuracy` (over
    letters whose case is known). The interval is the bootstrap's over samples: it says what other
    samples would have changed, not what other writers would.
    """
    scores: Scores = {}
    for scope, rows in predictions.groupby("scope", sort=True):
        for measure, values_N in _means_by_sample(rows).items():
            key = f"{prefix}.{scope}.{measure}"
            scores |= _summary(key, values_N, bootstrap_interval(values_N))
    return scores


def _means_by_sample(rows: pd.DataFrame) -> dict[str, pd.Series]:
    label = pd.Series(is_label_right(rows), index=rows.index, dtype=float)
    case = pd.Series(is_case_right(rows), index=rows.index, dtype=float)
    is_cased = pd.Series(has_case(rows), index=rows.index)
    right = {
        "label_accuracy": label,
        "case_accuracy": case[is_cased],
        "joint_accuracy": (label * case)[is_cased],
    }
    means = {name: values.groupby(rows["sample_id"]).mean() for name, values in right.items()}
    return {name: values for name, values in means.items() if len(values) > 1}


def score_seeds(predictions: pd.DataFrame, prefix: str) -> Scores:
    """Return `<prefix>.label_accuracy`, the mean over trainings, with Student's interval.

    The interval says what other seeds would have changed on the same samples; `.n` counts seeds.
    """
    if predictions.empty:
        return {}
    right = pd.Series(is_label_right(predictions), index=predictions.index, dtype=float)
    by_seed = right.groupby(predictions["trial"]).mean()
    key = f"{prefix}.label_accuracy"
    each = {f"{key}.by_seed": [round(value, _DECIMALS) for value in by_seed]}
    return _summary(key, by_seed, t_interval(by_seed)) | each


def score_share(key: str, is_right: pd.Series) -> Scores:
    """Return the share of right answers under a key; nothing where there are none."""
    if is_right.empty:
        return {}
    interval = wilson_interval(int(is_right.sum()), len(is_right))
    return _summary(key, is_right.astype(float), interval)


def _summary(key: str, values_N: pd.Series, interval: Interval) -> Scores:
    return {
        key: round(float(values_N.mean()), _DECIMALS),
        f"{key}.ci95": [round(bound, _DECIMALS) for bound in interval],
        f"{key}.n": len(values_N),
    }
