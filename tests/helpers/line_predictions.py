"""Predictions of lines that can be counted by hand."""

import pandas as pd

from bukva.core.evaluation.edits import Edits
from bukva.tasks.line.charset import normalise

Rows = list[tuple[str, str, str, str]]
ROWS: Rows = [
    ("testaments", "a", "abcdefghij", "abcdefghij"),
    ("testaments", "b", "abcd efghi", "abcx efghi"),
    ("fonts", "fonts/x", "один два", "один двa"),
    ("fonts", "nothing", "", "з"),
]


def predicted(rows: Rows) -> pd.DataFrame:
    """Return predictions of lines: collection, group, text, what was read."""
    table = pd.DataFrame(rows, columns=["collection", "group", "text", "found"])
    edits = [Edits.between(normalise(text), normalise(found)) for _, _, text, found in rows]
    return table.assign(
        corpus=table["collection"], width_px=100, confidence=0.5, **pd.DataFrame(edits),
        greedy_edits=[each.character_edits for each in edits],
        word_confidences=[[0.9] * len(found.split()) for found in table["found"]],
        words_right=[[True] * len(found.split()) for found in table["found"]],
    )  # fmt: skip
