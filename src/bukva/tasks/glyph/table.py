"""What is read from columns of the sample table, without what checks it (`schema`).

Shapes: N samples.
"""

from typing import Final

import numpy as np
import pandas as pd

from bukva.core.arrays import Float32Array
from bukva.core.scratch_table import iterate_blocks
from bukva.tasks.glyph import charset
from bukva.tasks.glyph.preprocessing import PAGE_FEATURES

_KEYS: Final = ["corpus", "label", "is_uppercase", "split"]


def is_symbol(table: pd.DataFrame) -> pd.Series:
    """Return whether each sample shows a symbol: what shows none is only there to be refused."""
    return table["label"].ne(charset.NO_SYMBOL)


def page_features(table: pd.DataFrame) -> Float32Array:
    """Return the page features of samples, float32 `(N, 4)`, NaN where the page is not known."""
    return table[list(PAGE_FEATURES)].to_numpy(dtype=np.float32)


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
