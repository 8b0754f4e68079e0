"""Results as Markdown: shares with their intervals, and tables."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

ACCURACIES: Final = {
    "label": "label_accuracy",
    "letters": "letters.label_accuracy",
    "case": "letters.case_accuracy",
    "both": "letters.joint_accuracy",
}
"""Measures of a set of test samples, by the names that people read."""


def scopes_of(results: Mapping[str, Any]) -> list[str]:
    """Return the sets of test samples that results are of: corpora, `published`, `all`."""
    suffix = ".label_accuracy"
    found = {key.removesuffix(suffix) for key in results if key.endswith(suffix)}
    corpora = {scope for scope in found if not scope.endswith(".letters")}
    return sorted(corpora, key=lambda scope: (scope in ("all", "published"), scope))


def format_share(results: Mapping[str, Any], key: str, decimals: int) -> str:
    """Return a share in percent with its interval, if it has one; a dash where it is absent."""
    if key not in results:
        return "-"
    value = f"{100 * results[key]:.{decimals}f}"
    if f"{key}.ci95" not in results:
        return value
    low, high = results[f"{key}.ci95"]
    return f"{value} [{100 * low:.{decimals}f}, {100 * high:.{decimals}f}]"


def format_table(head: list[str], rows: Iterable[list[str]]) -> str:
    """Return a table of texts."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
