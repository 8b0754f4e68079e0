"""One table of all runs: what differs between them, how good each is, how they differ."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from bukva.cli.experiment_runs.plan import Experiment, Run
from bukva.cli.experiment_runs.running import Status, list_statuses
from bukva.core.task import Scores
from bukva.pipelines.parameters import Parameters
from bukva.tasks.glyph.evaluation.metrics import compare

_NOTHING: Final = "-"
_KEPT: Final = ("results", "evaluation.glyphs.predictions")
_COMPARED: Final = ("label_accuracy", "letters.joint_accuracy")
_SCOPE: Final = ".label_accuracy"
_LETTERS: Final = {
    "all.letters.case_accuracy": "letters: case",
    "all.letters.joint_accuracy": "letters: both",
}
_DIFFERENCES: Final = {
    "label_accuracy.difference": "label, difference",
    "letters.joint_accuracy.difference": "both, difference",
}


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


def collect_outcomes(experiment: Experiment) -> list[Outcome]:
    """Return what each run has kept, if it is done."""
    outcomes = []
    statuses = list_statuses(experiment)
    for run in experiment.runs:
        status, kept = statuses[run.name][0], {}
        if status is Status.DONE:
            catalog = experiment.project.catalog(experiment.run_folder(run))
            kept = {name: catalog.load(name) for name in _KEPT if catalog.exists(name)}
        results, predictions = map(kept.get, _KEPT)
        outcomes.append(Outcome(run, status, results or {}, predictions))
    return outcomes


def tabulate(outcomes: list[Outcome]) -> pd.DataFrame:
    """Return one row a run, the first being what the others are compared with.

    Columns: `run`, `status`; each parameter in which runs differ; each accuracy as in the results,
    0..1, with `.low` and `.high` (95 % interval) and `.n`; for label and joint accuracy
    `.difference` to the first run on the same samples, its `.low` and `.high`, and `.p_value`
    (McNemar); `seconds` of all stages. What is not known is missing.
    """
    names = dict.fromkeys(name for outcome in outcomes for name in outcome.run.parameters)
    values = {
        name: {str(outcome.run.parameters.get(name)) for outcome in outcomes} for name in names
    }
    rows = []
    for outcome in outcomes:
        results = outcome.results
        row: dict[str, Any] = {"run": outcome.run.name, "status": str(outcome.status)}
        row |= {name: outcome.run.parameters.get(name) for name in names if len(values[name]) > 1}
        for key in results:
            if f"{key}.ci95" in results:
                row |= _with_bounds(results, key) | {f"{key}.n": results[f"{key}.n"]}
        row |= _differences(outcomes[0], outcome)
        seconds = [value for key, value in results.items() if key.startswith("seconds.")]
        row |= {"seconds": round(sum(seconds), 1)} if seconds else {}
        rows.append(row)
    # As objects, numbers stay what they are in a column that lacks some.
    return pd.DataFrame(rows, dtype=object)


def _with_bounds(scores: Scores, key: str) -> dict[str, Any]:
    low, high = scores[f"{key}.ci95"]
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


def write_report(table: pd.DataFrame, title: str, folder: Path) -> list[Path]:
    """Write the comparison as `comparison.md` and, with all its numbers, as `comparison.csv`."""
    folder.mkdir(parents=True, exist_ok=True)
    document, numbers = folder / "comparison.md", folder / "comparison.csv"
    document.write_text(to_markdown(table, title), encoding="utf-8")
    table.to_csv(numbers, index=False)
    return [document, numbers]


def to_markdown(table: pd.DataFrame, title: str) -> str:
    """Return the comparison as a Markdown document, with words on what its columns mean.

    Args:
        table: As `tabulate` gives it.
        title: The heading.
    """
    writers: dict[str, tuple[str, Callable[[pd.Series, str], str]]] = {
        "run": ("run", _text),
        "status": ("status", _text),
        **{key: (heading, _text) for key, heading in _parameter_columns(table).items()},
        **{key: (heading, _share) for key, heading in (_scopes(table) | _LETTERS).items()},
        **{key: (heading, _difference) for key, heading in _DIFFERENCES.items()},
        "seconds": ("seconds", lambda row, key: f"{row[key]:.0f}"),
    }
    shown = {key: writer for key, writer in writers.items() if key in table}
    cells = [
        [_NOTHING if pd.isna(row[key]) else write(row, key) for key, (_, write) in shown.items()]
        for _, row in table.iterrows()
    ]
    header = [[heading for heading, _ in shown.values()], ["---"] * len(shown)]
    lines = [f"| {' | '.join(row)} |" for row in [*header, *cells]]
    words = (
        "Accuracies on the test samples in % [95 % interval]; `both` is label and case together. "
        f"Differences to `{table['run'].iloc[0]}` in points, on the same samples, with McNemar's p."
    )
    return "\n".join([f"# {title}", "", words, "", *lines, ""])


def _parameter_columns(table: pd.DataFrame) -> dict[str, str]:
    """Return the parameters, each with the last two parts of its name if they say which it is."""
    names = [name for name in map(str, table) if name.split(".")[0] in Parameters.model_fields]
    shortened = {name: ".".join(name.split(".")[-2:]) for name in names}
    counts = Counter(shortened.values())
    return {name: short if counts[short] == 1 else name for name, short in shortened.items()}


def _scopes(table: pd.DataFrame) -> dict[str, str]:
    """Return the label accuracies with their headings, that of all samples first."""
    scopes = [
        key.removesuffix(_SCOPE)
        for key in map(str, table)
        if key.endswith(_SCOPE) and not key.endswith(f".letters{_SCOPE}")
    ]
    ordered = sorted(scopes, key=lambda name: name != "all")
    return {f"{scope}{_SCOPE}": f"label: {scope}" for scope in ordered}


def _text(row: pd.Series, key: str) -> str:
    return str(row[key])


def _share(row: pd.Series, key: str) -> str:
    value, low, high = (100 * row[name] for name in (key, f"{key}.low", f"{key}.high"))
    return f"{value:.1f} [{low:.1f}, {high:.1f}]"


def _difference(row: pd.Series, key: str) -> str:
    value, low, high = (100 * row[name] for name in (key, f"{key}.low", f"{key}.high"))
    p_value = row[f"{key.removesuffix('.difference')}.p_value"]
    words = "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"
    return f"{value:+.1f} [{low:+.1f}, {high:+.1f}], {words}"
