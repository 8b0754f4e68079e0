"""Shares and their differences as flat scores, ready for JSON, each with interval and count."""

from typing import Final

from bukva.core.arrays import BoolArray
from bukva.core.evaluation.intervals import (
    mcnemar_p_value,
    paired_difference_interval,
    wilson_interval,
)
from bukva.core.task import Scores

DECIMALS: Final = 6


def score_share(key: str, is_right_N: BoolArray, design_effect: float = 1.0) -> Scores:
    """Return the share of right answers, `<key>.ci95` (Wilson 1927) and `<key>.n`."""
    right, total = int(is_right_N.sum()), len(is_right_N)
    interval = wilson_interval(right, total, design_effect=design_effect)
    return {
        key: round(right / total, DECIMALS),
        f"{key}.ci95": [round(bound, DECIMALS) for bound in interval],
        f"{key}.n": total,
    }


def score_difference(
    measure: str,
    first_right_N: BoolArray,
    second_right_N: BoolArray,
    design_effect: float = 1.0,
) -> Scores:
    """Return by how much the second is right more often than the first, on the same samples.

    Keys: `<measure>.difference`, its `.ci95` (Newcombe 1998) and `.n`,
    `<measure>.only_first_right`, `<measure>.only_second_right`, and `<measure>.p_value` (exact
    McNemar test).
    """
    only_first = int((first_right_N & ~second_right_N).sum())
    only_second = int((~first_right_N & second_right_N).sum())
    total = len(first_right_N)
    interval = paired_difference_interval(
        first_right_N, second_right_N, design_effect=design_effect
    )
    return {
        f"{measure}.difference": round((only_second - only_first) / total, DECIMALS),
        f"{measure}.difference.ci95": [round(bound, DECIMALS) for bound in interval],
        f"{measure}.difference.n": total,
        f"{measure}.only_first_right": only_first,
        f"{measure}.only_second_right": only_second,
        f"{measure}.p_value": round(mcnemar_p_value(only_first, only_second), DECIMALS),
    }
