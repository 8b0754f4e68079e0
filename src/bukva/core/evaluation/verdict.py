"""Whether a candidate may take the place of a model that answers for the same samples.

The question is that of a non-inferiority trial (Piaggio et al. 2012, "Reporting of Noninferiority
and Equivalence Randomized Trials"): not whether the candidate is better beyond chance, which
an equal one never is, but whether it is surely not worse by more than a tolerance.
"""

from typing import Any, Final

import pandas as pd
from pydantic import BaseModel

from bukva.core.task import Scores, Task


class Judgement(BaseModel):
    """What a comparison says; what was compared is None where nothing could be."""

    is_accepted: bool
    reason: str
    comparison: Scores | None = None
    comparison_by_corpus: dict[str, Scores] | None = None


class Verdict(Judgement):
    """What is said of a candidate beside the model in production, as `verdict.json` holds it."""

    candidate_sha256: str
    production_version: str | None
    production_sha256: str | None

    def to_json(self) -> dict[str, Any]:
        """Return what is stored: without a comparison where there was none."""
        return self.model_dump(mode="json", exclude_unset=True)


class Decision(BaseModel):
    """What became of a candidate, as `decision.json` holds it."""

    is_promoted: bool
    is_known: bool
    reason: str
    candidate: str
    candidate_run: str | None
    production_version: str | None


_LEVEL: Final = 0.05


def judge(
    task: Task, production: pd.DataFrame, candidate: pd.DataFrame, tolerance: float
) -> Judgement:
    """Compare two prediction tables of the same samples, and say whether the second may replace.

    It may if, of each measure that the task guards, the 95 % interval of the difference lies above
    `-tolerance` and not wholly below 0, and if no single corpus is worse beyond chance (McNemar's
    test at 5 %, shared out over all corpora and measures: Bonferroni).
    The tolerance decides how much doubt is allowed on few samples; on many, what is worse beyond
    chance is refused however small the loss.

    Args:
        task: What is compared, and what is guarded.
        production: Predictions of the model in production.
        candidate: Predictions of the candidate.
        tolerance: Share of the samples, 0..1.

    Raises:
        TableError: As `compare`.
    """
    comparison = task.compare(production, candidate)
    by_corpus = {
        str(corpus): task.compare(production[production["corpus"] == corpus], rows)
        for corpus, rows in candidate.groupby("corpus", sort=True)
    }
    faults = _overall_faults(task, comparison, tolerance) + _corpus_faults(task, by_corpus)
    return Judgement(
        is_accepted=not faults,
        reason="; ".join([_summary(task, comparison), *faults]),
        comparison=comparison,
        comparison_by_corpus=by_corpus,
    )


def _summary(task: Task, comparison: Scores) -> str:
    measure, words = next(iter(task.guards.items()))
    gain, (low, high) = _difference(comparison, measure)
    samples = comparison[f"{measure}.difference.n"]
    return (
        f"{words} on the same {samples} test samples: {gain:+.2%}, "
        f"95 % interval [{low:+.2%}, {high:+.2%}]"
    )


def _overall_faults(task: Task, comparison: Scores, tolerance: float) -> list[str]:
    faults = []
    for measure in _measured(task, comparison):
        gain, (low, high) = _difference(comparison, measure)
        found = f"{task.guards[measure]} {gain:+.2%} [{low:+.2%}, {high:+.2%}]"
        if high < 0:
            faults.append(f"worse beyond chance: {found}")
        elif low <= -tolerance:
            faults.append(
                f"perhaps worse by more than {tolerance:.2%} (promotion.tolerance): {found}"
            )
    return faults


def _corpus_faults(task: Task, by_corpus: dict[str, Scores]) -> list[str]:
    tests = [
        (corpus, measure, comparison)
        for corpus, comparison in by_corpus.items()
        for measure in _measured(task, comparison)
    ]
    return [
        f"worse beyond chance on {corpus}: {task.guards[measure]} "
        f"{_difference(comparison, measure)[0]:+.2%}"
        for corpus, measure, comparison in tests
        if _number(comparison, f"{measure}.p_value") < _LEVEL / len(tests)
        # McNemar's test takes samples for independent; the interval knows of groups.
        and _difference(comparison, measure)[1][1] < 0
    ]


def _measured(task: Task, comparison: Scores) -> list[str]:
    return [measure for measure in task.guards if f"{measure}.difference" in comparison]


def _difference(comparison: Scores, measure: str) -> tuple[float, tuple[float, float]]:
    low, high = comparison[f"{measure}.difference.ci95"]
    return _number(comparison, f"{measure}.difference"), (low, high)


def _number(comparison: Scores, key: str) -> float:
    return float(comparison[key])
