"""Where the errors of a reader of lines come from: its confusions, and which lines are hard.

Shapes: N lines.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pandas as pd

from bukva.core.evaluation.edits import list_edits
from bukva.tasks.line.charset import normalise
from bukva.tasks.line.evaluation.scores import is_made

NOTHING: Final = "∅"
"""In place of a character that is lacking, in a reference or in what was read."""
_STEPS: Final = 5


def list_confusions(predictions: pd.DataFrame, most: int) -> pd.DataFrame:
    """Return the most frequent edits: `written`, `read`, `count`, its share of all edits.

    Columns also say how often what was written comes at all, and in how many groups it is misread.
    """
    counts: Counter[tuple[str, str]] = Counter()
    groups: dict[tuple[str, str], set[str]] = {}
    written: Counter[str] = Counter()
    for row in predictions.itertuples():
        reference = normalise(str(row.text))
        written.update(reference)
        for edit in list_edits(reference, normalise(str(row.found))):
            pair = (edit.reference or NOTHING, edit.found or NOTHING)
            counts[pair] += 1
            groups.setdefault(pair, set()).add(str(row.group))
    total = max(1, counts.total())
    rows = [
        {
            "written": _show(reference),
            "read": _show(found),
            "count": count,
            "share_of_edits": round(count / total, 4),
            "times_written": written[reference] if reference != NOTHING else None,
            "groups": len(groups[reference, found]),
        }
        for (reference, found), count in counts.most_common(most)
    ]
    columns = ["written", "read", "count", "share_of_edits", "times_written", "groups"]
    return pd.DataFrame(rows, columns=columns)


def _show(character: str) -> str:
    return "␣" if character == " " else character


def list_strata(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the error rates of parts of the lines: `by`, `value`, `cer`, `wer`, `lines`.

    By collection, group (will, writer, folder, font), alphabet, length of the text, characters for
    each 100 pixels of width, and, where the table has it, height of the writing on the picture.
    """
    written = predictions[predictions["characters"] > 0]
    density = 100 * written["characters"] / written["width_px"].clip(lower=1)
    strata = {
        "collection": written["collection"],
        "group": written["group"],
        "language": np.where(written["text"].map(_has_cyrillic), "cyrillic", "latin"),
        "kind": np.where(is_made(written), "made", "written by hand"),
        "characters": _cut(written["characters"]),
        "characters per 100 px": _cut(density),
    }
    if "height_px" in written:  # made lines have none
        strata["height_px"] = _cut(written["height_px"].dropna())
    rows = [row for name, of_line in strata.items() for row in _rates_by(written, name, of_line)]
    return pd.DataFrame(rows, columns=["by", "value", "cer", "wer", "lines"])


def _rates_by(written: pd.DataFrame, name: str, of_line: Any) -> Iterator[dict[str, Any]]:
    counted = ["characters", "character_edits", "words", "word_edits"]
    for value, rows in written.groupby(of_line, observed=True, sort=True):
        sums = rows[counted].sum()
        yield {
            "by": name,
            "value": str(value),
            "cer": round(float(sums["character_edits"] / sums["characters"]), 4),
            "wer": round(float(sums["word_edits"] / max(1, sums["words"])), 4),
            "lines": len(rows),
        }


def _cut(values: pd.Series) -> Any:
    """Return in which fifth of the lines each is, named by its bounds."""
    values = values.astype(float)
    if values.empty:
        return values
    inner = np.quantile(values, np.linspace(0, 1, _STEPS + 1)[1:-1]).round(1)
    ends = np.floor(10 * values.min()) / 10, np.ceil(10 * values.max()) / 10
    edges = np.unique([*ends, *inner])
    if len(edges) < 2:
        return values.round(1)
    names = [f"{low:g}-{high:g}" for low, high in pairwise(edges)]
    return pd.cut(values, edges.tolist(), labels=names, include_lowest=True)


def _has_cyrillic(text: str) -> bool:
    return any("Ѐ" <= character <= "ӿ" for character in text)


def choose_worst(predictions: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return the lines with the highest error rates, at most two of a group."""
    written = predictions[predictions["characters"] > 0]
    rate = written["character_edits"] / written["characters"]
    ranked = written.assign(rate=rate).sort_values("rate", ascending=False, kind="stable")
    turn = ranked.groupby("group").cumcount()
    return ranked[turn < 2].head(count)
