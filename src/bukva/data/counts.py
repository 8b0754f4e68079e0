"""How many samples of each symbol there are."""

from typing import Final

import pandas as pd

from bukva.data.scratch_table import iterate_blocks

_KEYS: Final = ["corpus", "label", "is_uppercase", "split"]


def count_samples(table: pd.DataFrame) -> pd.DataFrame:
    """Return how many samples of each symbol each corpus has in each split.

    Args:
        table: One row a sample, with `corpus`, `label`, `is_uppercase` and `split`.

    Returns:
        These columns and `samples`, which is never 0; a row a combination, sorted.
    """
    blocks = [_count(block.assign(samples=1)) for block in iterate_blocks(table)]
    return _count(pd.concat(blocks, ignore_index=True))


def _count(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.groupby(_KEYS, dropna=False)["samples"].sum().reset_index()


def tabulate(counts: pd.DataFrame, rows: pd.Series | str, columns: pd.Series | str) -> pd.DataFrame:
    """Return the samples of `count_samples` in a table of two keys, 0 where there are none."""
    return counts.groupby([rows, columns])["samples"].sum().unstack(fill_value=0)
