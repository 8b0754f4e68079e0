"""Folds for cross-validation: as for splits, nothing that belongs together is torn apart.

Shapes: N samples, U units.
"""

from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from bukva.data.dealing import deal_groups, first_of_unit, rank_in_symbol
from bukva.data.numbering import number_by_appearance, number_groups, number_symbols
from bukva.errors import ParameterError

FoldsBy: TypeAlias = Literal["symbol", "group", "block"]


def k_folds(table: pd.DataFrame, folds: int, seed: int, by: FoldsBy = "symbol") -> pd.Series:
    """Return the fold of each sample, 0..folds-1, for cross-validation.

    Args:
        table: One row a sample with `sample_id`, `corpus`, `label`, `is_uppercase`, `group`,
            `cluster`; for `block` in the order in which the symbols were drawn.
        folds: How many, at least 2.
        seed: Of the draws; another seed gives another repetition. `block` draws nothing.
        by: `symbol` spreads each symbol evenly; `group` keeps whole groups together, as evenly
            as that allows; `block` cuts each symbol of a corpus into contiguous runs, the next
            best thing where writers are not recorded.

    Returns:
        Series of int with the index of `table`. No cluster crosses folds: by `group`, a copy in
        a fold other than that of the first of its cluster gets -1, and takes no part.

    Raises:
        ParameterError: If `folds` is less than 2 or `by` is unknown.
    """
    if folds < 2 or by not in ("symbol", "group", "block"):
        message = f"Expected 2 or more folds by symbol, group or block, got {folds} by {by!r}."
        raise ParameterError(message)
    rng = np.random.default_rng(seed)
    symbol_N, cluster_N = number_symbols(table), number_by_appearance(table["cluster"])
    if by == "group":
        fold_N = deal_groups(number_groups(table), symbol_N, np.full(folds, 1 / folds), rng)
        fold_N = np.where(first_of_unit(fold_N, cluster_N)[cluster_N] == fold_N, fold_N, -1)
        return pd.Series(fold_N, index=table.index, name="fold")
    symbol_U = first_of_unit(symbol_N, cluster_N)
    if by == "block":
        rank_U, size_U = rank_in_symbol(symbol_U, np.arange(len(symbol_U)))
        fold_U = rank_U * folds // size_U
    else:
        # Counting on from symbol to symbol keeps the folds even where symbols are few.
        fold_U = np.empty_like(symbol_U)
        fold_U[np.lexsort((rng.random(len(symbol_U)), symbol_U))] = np.arange(len(symbol_U)) % folds
    return pd.Series(fold_U[cluster_N], index=table.index, name="fold")
