"""One table of all runs: what differs between them, how good each is, how they differ."""

from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from bukva.evaluation.metrics import Scores, compare
from bukva.experiments.plan import Experiment, Run
from bukva.experiments.records import Status
from bukva.experiments.running import status_of

_COMPARED: Final = ("label_accuracy", "letters.joint_accuracy")


@dataclass(frozen=True)
class Outcome:
    """What came of a run; a run that is not done has no results.

    Attributes:
        run: The run.
        status: Where it stands.
        results: As `evaluation` gives them, flat.
        predictions: The prediction table of the test samples.
    """

    run: Run
    status: Status
    results: Scores
    predictions: pd.DataFrame | None = None


def collect_outcome(experiment: Experiment, run: Run) -> Outcome:
    """Return what a run has kept, if it is done."""
    status = status_of(experiment, run)
    if status is not Status.DONE:
        return Outcome(run, status, {})
    catalog = experiment.work.project.catalog(experiment.run_folder(run))
    names = ("results", "evaluation.glyphs.predictions")
    results, predictions = (catalog.load(name) if catalog.exists(name) else None for name in names)
    return Outcome(run, status, results or {}, predictions)


def tabulate(outcomes: list[Outcome]) -> pd.DataFrame:
    """Return one row a run, the first being what the others are compared with.

    Columns: `run`, `status`; each parameter in which runs differ; each accuracy as in the results,
    0..1, with `.low` and `.high` (95 % interval) and `.n`; for label and joint accuracy
    `.difference` to the first run on the same samples, its `.low` and `.high`, and `.p_value`
    (McNemar); `seconds` of all stages. What is not known is missing.
    """
    differing = _differing([outcome.run for outcome in outcomes])
    rows = [
        {"run": outcome.run.name, "status": str(outcome.status)}
        | {name: outcome.run.parameters.get(name) for name in differing}
        | _accuracies(outcome.results)
        | _differences(outcomes[0], outcome)
        | _seconds(outcome.results)
        for outcome in outcomes
    ]
    # As objects, numbers stay what they are in a column that lacks some.
    return pd.DataFrame(rows, dtype=object)


def _differing(runs: list[Run]) -> list[str]:
    names = dict.fromkeys(name for run in runs for name in run.parameters)
    values = {name: {str(run.parameters.get(name)) for run in runs} for name in names}
    return [name for name in names if len(values[name]) > 1]


def _accuracies(results: Scores) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for key in results:
        if f"{key}.ci95" in results:
            row |= _with_bounds(results, key) | {f"{key}.n": results[f"{key}.n"]}
    return row


def _with_bounds(scores: Scores, key: str) -> dict[str, Any]:
    low, high = scores[f"{key}.ci95"]  # type: ignore[misc]
    return {key: scores[key], f"{key}.low": low, f"{key}.high": high}


def _differences(first: Outcome, outcome: Outcome) -> dict[str, Any]:
    if outcome is first or first.predictions is None or outcome.predictions is None:
        return {}
    comparison = compare(first.predictions, outcome.predictions)
    row: dict[str, Any] = {}
    for measure in _COMPARED:
        if f"{measure}.difference" in comparison:
            row |= _with_bounds(comparison, f"{measure}.difference")
            row[f"{measure}.p_value"] = comparison[f"{measure}.p_value"]
    return row


def _seconds(results: Scores) -> dict[str, float]:
    seconds = [value for key, value in results.items() if key.startswith("seconds.")]
    return {"seconds": round(sum(seconds), 1)} if seconds else {}  # type: ignore[arg-type]
