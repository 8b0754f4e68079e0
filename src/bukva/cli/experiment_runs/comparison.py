"""One table of all runs: what differs between them, how good each is, how they differ."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from bukva.cli.experiment_runs.plan import Experiment, Run
from bukva.cli.experiment_runs.running import Status, list_records
from bukva.core.evaluation.markdown import format_table
from bukva.core.task import Scores
from bukva.pipelines.parameters import Parameters
from bukva.tasks.glyph.evaluation.metrics import compare

_KEPT: Final = ("results", "evaluation.glyphs.predictions")
_LABEL: Final = ".label_accuracy"
_HEADINGS: Final = {
    "all.letters.case_accuracy": "letters: case",
    "all.letters.joint_accuracy": "letters: both",
    "label_accuracy.difference": "label, difference",
    "letters.joint_accuracy.difference": "both, difference",
    "seconds": "seconds",
}


@dataclass(frozen=True)
class Outcome:
    """What `evaluation` gave of a run: its results, and its predictions for the test samples."""

    run: Run
    status: Status
    results: Scores
    predictions: pd.DataFrame | None = None


def collect_outcomes(experiment: Experiment) -> list[Outcome]:
    """Return what each run has kept, if it is done."""
    outcomes = []
    records = list_records(experiment)
    for run in experiment.runs:
        status, kept = records[run.name].status, {}
        if status is Status.DONE:
            catalog = experiment.project.catalog(experiment.run_folder(run))
            kept = {name: catalog.load(name) for name in _KEPT if catalog.exists(name)}
        results, predictions = map(kept.get, _KEPT)
        outcomes.append(Outcome(run, status, results or {}, predictions))
    return outcomes


def tabulate(outcomes: list[Outcome]) -> pd.DataFrame:
    """Return one row a run, the first being what the others are compared with.

    Columns: `run`, `status`; each parameter in which runs differ; each accuracy as in the results,
    0..1, with `.low` and `.high` (95 % interval) and `.n`; each `.difference` to the first run on
    the same samples, with the same, and its `.p_value` (McNemar); `seconds` of all stages. What is
    not known is missing.
    """
    parameters = [outcome.run.parameters for outcome in outcomes]
    names = dict.fromkeys(name for values in parameters for name in values)
    differing = [name for name in names if len({str(one.get(name)) for one in parameters}) > 1]
    first, rows = outcomes[0], []
    for outcome in outcomes:
        row: dict[str, Any] = {"run": outcome.run.name, "status": str(outcome.status)}
        row |= {name: outcome.run.parameters.get(name) for name in differing}
        scores = dict(outcome.results)
        ours, theirs = outcome.predictions, first.predictions
        if outcome is not first and ours is not None and theirs is not None:
            scores |= compare(theirs, ours)
        for key in scores:
            if f"{key}.ci95" in scores:
                low, high = scores[f"{key}.ci95"]
                row |= {key: scores[key], f"{key}.low": low, f"{key}.high": high}
                beside = (f"{key}.n", f"{key.removesuffix('.difference')}.p_value")
                row |= {name: scores[name] for name in beside if name in scores}
        if seconds := [value for key, value in scores.items() if key.startswith("seconds.")]:
            row["seconds"] = round(sum(seconds), 1)
        rows.append(row)
    # As objects, numbers stay what they are in a column that lacks some.
    return pd.DataFrame(rows, dtype=object)


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
    columns = {"run": "run", "status": "status", **_parameters(table), **_scopes(table)}
    columns |= {key: heading for key, heading in _HEADINGS.items() if key in table}
    rows = [[_to_cell(row, key) for key in columns] for row in table.to_dict("records")]
    words = (
        "Accuracies on the test samples in % [95 % interval]; `both` is label and case together. "
        f"Differences to `{table['run'].iloc[0]}` in points, on the same samples, with McNemar's p."
    )
    return f"# {title}\n\n{words}\n\n{format_table([*columns.values()], rows)}\n"


def _parameters(table: pd.DataFrame) -> dict[str, str]:
    """Return the parameters, each with the last two parts of its name if they say which it is."""
    names = [name for name in map(str, table) if name.split(".")[0] in Parameters.model_fields]
    shortened = {name: ".".join(name.split(".")[-2:]) for name in names}
    counts = Counter(shortened.values())
    return {name: short if counts[short] == 1 else name for name, short in shortened.items()}


def _scopes(table: pd.DataFrame) -> dict[str, str]:
    """Return the label accuracies with their headings, that of all samples first."""
    keys = [key for key in map(str, table) if key.endswith(_LABEL) and ".letters." not in key]
    ordered = sorted(keys, key=lambda key: key != f"all{_LABEL}")
    return {key: f"label: {key.removesuffix(_LABEL)}" for key in ordered}


def _to_cell(row: dict[Any, Any], key: str) -> str:
    """Return a share in per cent with its interval, a difference with its p, else the text."""
    if pd.isna(row[key]):
        return "-"
    if f"{key}.low" not in row:
        return f"{row[key]:.0f}" if key == "seconds" else str(row[key])
    is_difference = key.endswith(".difference")
    sign = "+" if is_difference else ""
    value, low, high = (
        f"{100 * row[name]:{sign}.1f}" for name in (key, f"{key}.low", f"{key}.high")
    )
    cell = f"{value} [{low}, {high}]"
    if not is_difference:
        return cell
    p_value = row[f"{key.removesuffix('.difference')}.p_value"]
    return f"{cell}, " + ("p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}")
