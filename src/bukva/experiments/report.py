"""The comparison as a person reads it."""

from collections import Counter
from pathlib import Path
from typing import Final

import pandas as pd

from bukva.parameters import Parameters

_NOTHING: Final = "-"
_SCOPE: Final = ".label_accuracy"
_LETTERS: Final = {
    "letters: case": "all.letters.case_accuracy",
    "letters: both": "all.letters.joint_accuracy",
}
_DIFFERENCES: Final = {
    "label, difference": "label_accuracy",
    "both, difference": "letters.joint_accuracy",
}


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
        table: As `bukva.experiments.comparison.tabulate` gives it.
        title: The heading.
    """
    cells = _cells(table)
    words = (
        "Accuracies on the test samples in % [95 % interval]; `both` is label and case together. "
        f"Differences to `{table['run'].iloc[0]}` in points, on the same samples, with McNemar's p."
    )
    header = [list(cells.columns), ["---"] * len(cells.columns)]
    lines = [f"| {' | '.join(row)} |" for row in [*header, *cells.to_numpy().tolist()]]
    return "\n".join([f"# {title}", "", words, "", *lines, ""])


def _cells(table: pd.DataFrame) -> pd.DataFrame:
    """Return the columns that are read, as text."""
    cells = pd.DataFrame({"run": table["run"], "status": table["status"]})
    for name, short in _parameter_columns(table).items():
        cells[short] = [_NOTHING if pd.isna(value) else str(value) for value in table[name]]
    for name, key in (_scopes(table) | _LETTERS).items():
        if key in table:
            cells[name] = [_share(row, key) for _, row in table.iterrows()]
    for name, measure in _DIFFERENCES.items():
        if f"{measure}.difference" in table:
            cells[name] = [_difference(row, measure) for _, row in table.iterrows()]
    if "seconds" in table:
        cells["seconds"] = [_seconds(value) for value in table["seconds"]]
    return cells


def _parameter_columns(table: pd.DataFrame) -> dict[str, str]:
    """Return the parameters, each with the last two parts of its name if they say which it is."""
    names = [name for name in map(str, table) if name.split(".")[0] in Parameters.model_fields]
    shortened = {name: ".".join(name.split(".")[-2:]) for name in names}
    counts = Counter(shortened.values())
    return {name: short if counts[short] == 1 else name for name, short in shortened.items()}


def _scopes(table: pd.DataFrame) -> dict[str, str]:
    """Return the keys of label accuracies, over all samples first, by the column's name."""
    keys = [
        key
        for key in map(str, table)
        if key.endswith(_SCOPE) and not key.endswith(f".letters{_SCOPE}")
    ]
    scopes = sorted((key.removesuffix(_SCOPE) for key in keys), key=lambda name: name != "all")
    return {f"label: {scope}": f"{scope}{_SCOPE}" for scope in scopes}


def _share(row: pd.Series, key: str) -> str:
    if pd.isna(row[key]):
        return _NOTHING
    value, low, high = (100 * row[name] for name in (key, f"{key}.low", f"{key}.high"))
    return f"{value:.1f} [{low:.1f}, {high:.1f}]"


def _difference(row: pd.Series, measure: str) -> str:
    key = f"{measure}.difference"
    if pd.isna(row[key]):
        return _NOTHING
    value, low, high = (100 * row[name] for name in (key, f"{key}.low", f"{key}.high"))
    p_value = row[f"{measure}.p_value"]
    words = "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"
    return f"{value:+.1f} [{low:+.1f}, {high:+.1f}], {words}"


def _seconds(value: float) -> str:
    return _NOTHING if pd.isna(value) else f"{value:.0f}"
