"""Whether a candidate may take the place of a model that answers for the same samples.

The question is that of a non-inferiority trial (Piaggio et al. 2012, "Reporting of Noninferiority
and Equivalence Randomized Trials"): not whether the candidate is better beyond chance, which
an equal one never is, but whether it is surely not worse by more than a tolerance.
"""

from typing import Any, Final

import pandas as pd

from bukva.evaluation.metrics import Scores, compare

Judgement = dict[str, Any]
"""`is_accepted`, `reason`, `comparison` (see `compare`) and `comparison_by_corpus`."""

_MEASURES: Final = {
    "label_accuracy": "label accuracy",
    "letters.joint_accuracy": "label and case of letters",
}
_LEVEL: Final = 0.05


def judge(production: pd.DataFrame, candidate: pd.DataFrame, tolerance: float) -> Judgement:
    """Compare two prediction tables of the same samples, and say whether the second may replace.

    It may if, of label accuracy and of joint accuracy on letters, the 95 % interval of the
    difference lies above `-tolerance` and not wholly below 0, and if no single corpus is worse
    beyond chance (McNemar's test at 5 %, shared out over all corpora and measures: Bonferroni).
    The tolerance decides how much doubt is allowed on few samples; on many, what is worse beyond
    chance is refused however small the loss.

    Args:
        production: Predictions of the model in production.
        candidate: Predictions of the candidate.
        tolerance: Share of the samples, 0..1.

    Raises:
        TableError: As `compare`.
    """
    comparison = compare(production, candidate)
    by_corpus = {
        str(corpus): compare(production[production["corpus"] == corpus], rows)
        for corpus, rows in candidate.groupby("corpus", sort=True)
    }
    faults = _overall_faults(comparison, tolerance) + _corpus_faults(by_corpus)
    return {
        "is_accepted": not faults,
        "reason": "; ".join([_summary(comparison), *faults]),
        "comparison": comparison,
        "comparison_by_corpus": by_corpus,
    }


def _summary(comparison: Scores) -> str:
    gain, (low, high) = _difference(comparison, "label_accuracy")
    samples = comparison["label_accuracy.difference.n"]
    return (
        f"label accuracy on the same {samples} test samples: {gain:+.2%}, "
        f"95 % interval [{low:+.2%}, {high:+.2%}]"
    )


def _overall_faults(comparison: Scores, tolerance: float) -> list[str]:
    faults = []
    for measure in _measured(comparison):
        gain, (low, high) = _difference(comparison, measure)
        found = f"{_MEASURES[measure]} {gain:+.2%} [{low:+.2%}, {high:+.2%}]"
        if high < 0:
            faults.append(f"worse beyond chance: {found}")
        elif low <= -tolerance:
            faults.append(
                f"perhaps worse by more than {tolerance:.2%} (evaluation.tolerance): {found}"
            )
    return faults


def _corpus_faults(by_corpus: dict[str, Scores]) -> list[str]:
    tests = [
        (corpus, measure, comparison)
        for corpus, comparison in by_corpus.items()
        for measure in _measured(comparison)
    ]
    return [
        f"worse beyond chance on {corpus}: {_MEASURES[measure]} "
        f"{_difference(comparison, measure)[0]:+.2%}"
        for corpus, measure, comparison in tests
        if _number(comparison, f"{measure}.p_value") < _LEVEL / len(tests)
        # McNemar's test takes samples for independent; the interval knows of groups.
        and _difference(comparison, measure)[1][1] < 0
    ]


def _measured(comparison: Scores) -> list[str]:
    return [measure for measure in _MEASURES if f"{measure}.difference" in comparison]


def _difference(comparison: Scores, measure: str) -> tuple[float, tuple[float, float]]:
    low, high = comparison[f"{measure}.difference.ci95"]  # type: ignore[misc]
    return _number(comparison, f"{measure}.difference"), (low, high)


def _number(comparison: Scores, key: str) -> float:
    return float(comparison[key])  # type: ignore[arg-type]
