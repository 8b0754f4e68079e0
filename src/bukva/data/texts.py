"""Long columns of text, a block at a time: as Python objects, they would take ten times the room.

Shapes: N texts.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bukva.data.scratch_table import iterate_blocks


def hash_texts(texts: pd.Series) -> NDArray[np.uint64]:
    """Return `(N,)`, a number for each text.

    Equal texts have equal numbers. Of a million different ones any two have with a chance of
    3 in 10^8 (64 bits, `pandas.util.hash_array`).
    """
    blocks = (block.to_numpy(dtype=object) for block in iterate_blocks(texts))
    return np.concatenate([pd.util.hash_array(block) for block in blocks])


def number_texts(texts: pd.Series, known: Iterable[str]) -> NDArray[np.int32]:
    """Return `(N,)`, the place of each text among those that are known, -1 if it is none."""
    categories = pd.CategoricalDtype(list(known))
    places = [pd.Categorical(block, dtype=categories).codes for block in iterate_blocks(texts)]
    return np.concatenate(places).astype(np.int32)


def is_repeated(texts: pd.Series) -> NDArray[np.bool_]:
    """Return `(N,)`, whether a text stands in another row too."""
    rows_M = np.flatnonzero(pd.Series(hash_texts(texts)).duplicated(keep=False))
    is_repeated_N = np.zeros(len(texts), dtype=bool)
    is_repeated_N[rows_M] = texts.iloc[rows_M].duplicated(keep=False)
    return is_repeated_N
