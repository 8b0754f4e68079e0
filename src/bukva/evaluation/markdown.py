"""Results as Markdown: shares with their intervals, and tables."""

from collections.abc import Iterable, Mapping
from typing import Any


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
