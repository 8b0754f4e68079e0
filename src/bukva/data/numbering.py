"""Numbers in the place of what samples are called: of a million, texts take most of the memory.

Shapes: N samples.
"""

from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bukva.data.texts import number_texts

IntArray: TypeAlias = NDArray[np.integer]


def number_symbols(rows: pd.DataFrame) -> IntArray:
    """Return `(N,)`, a number for each combination of corpus, label and case."""
    labels = sorted(rows["label"].unique())
    case_N = rows["is_uppercase"].astype("boolean").astype("Int8").fillna(-1).to_numpy(np.int8)
    symbol_N = _number_corpora(rows) * len(labels) + number_texts(rows["label"], labels)
    return number_in_order(symbol_N * 3 + case_N + 1)


def number_groups(rows: pd.DataFrame) -> IntArray:
    """Return `(N,)`, the unit of each sample: its group in its corpus, else its cluster."""
    groups = rows["group"].dropna().unique()
    group_N = _number_corpora(rows) * len(groups) + number_texts(rows["group"], groups)
    return np.where(rows["group"].isna(), -1 - rows["cluster"].to_numpy(dtype=np.int32), group_N)


def number_in_order(values: ArrayLike) -> IntArray:
    """Return small numbers from 0 as numbers from 0 without gaps, in the same order."""
    values_N = np.asarray(values)
    places = np.cumsum(np.bincount(values_N) > 0, dtype=np.int32) - 1
    ranked_N: IntArray = places[values_N]
    return ranked_N


def number_by_appearance(values: ArrayLike) -> IntArray:
    """Return values as numbers from 0 in the order of their first appearance."""
    return pd.factorize(np.asarray(values))[0].astype(np.int32)


def _number_corpora(rows: pd.DataFrame) -> IntArray:
    return number_texts(rows["corpus"], sorted(rows["corpus"].unique()))
