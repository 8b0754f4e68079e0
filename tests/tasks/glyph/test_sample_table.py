"""How many samples of each symbol there are."""

import pandas as pd

from bukva.core import scratch_table
from bukva.tasks.glyph.table import count_samples

ROWS = [
    ("paper", "а", True, "train"),
    ("paper", "а", False, "train"),
    ("paper", "а", None, "train"),
    ("paper", "7", None, "test"),
    ("screen", "а", True, "train"),
]


def make_table(rows: list[tuple]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["corpus", "label", "is_uppercase", "split"])
    return table.astype({"is_uppercase": "boolean"}).assign(sha256="", height=1.0)


def test_each_symbol_of_each_corpus_and_split_is_counted(monkeypatch):
    monkeypatch.setattr(scratch_table, "BLOCK_ROWS", 4)
    counts = count_samples(make_table(ROWS * 3 + ROWS[:1]))
    known = counts.astype({"is_uppercase": object}).where(counts.notna(), None)
    assert {tuple(row) for row in known.itertuples(index=False)} == {
        (*row, 4 if row == ROWS[0] else 3) for row in ROWS
    }


def test_nothing_is_counted_as_nothing():
    assert count_samples(make_table(ROWS)[:0]).empty
