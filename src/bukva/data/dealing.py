"""Deals units to splits or folds, so that each symbol gets its share everywhere.

Shapes: N samples, U units, S symbols, K splits or folds.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bukva.data.numbering import IntArray, number_by_appearance, number_in_order

TRAIN, VALID, TEST = 0, 1, 2


def deal_symbols(
    unit_of: ArrayLike,
    symbol_of: ArrayLike,
    shares_K: NDArray[np.float64],
    rng: np.random.Generator,
) -> IntArray:
    """Deal the units of each symbol to splits, in a random order, by their shares."""
    unit_N, symbol_N = number_by_appearance(unit_of), number_in_order(symbol_of)
    symbol_U = first_of_unit(symbol_N, unit_N)
    rank_U, size_U = rank_in_symbol(symbol_U, rng.permutation(len(symbol_U)))
    tested_U = _quota(size_U, shares_K[TEST], most_U=size_U - 2)
    held_U = tested_U + _quota(size_U, shares_K[VALID], most_U=size_U - tested_U - 1)
    split_U = np.select([rank_U < tested_U, rank_U < held_U], [TEST, VALID], TRAIN)
    return split_U[unit_N]


def _quota(size_U: IntArray, share: float, *, most_U: IntArray) -> IntArray:
    """Return how many of `size` a share is: one at least, and none of fewer than three."""
    if share == 0:
        return np.zeros_like(size_U)
    wanted_U = np.clip(np.round(size_U * share), 1, most_U)
    return np.where(size_U >= 3, wanted_U, 0).astype(np.int64)


def deal_groups(
    unit_of: ArrayLike,
    symbol_of: ArrayLike,
    shares_K: NDArray[np.float64],
    rng: np.random.Generator,
) -> IntArray:
    """Deal whole units so that each symbol comes near its shares: greedy, rarest symbols first.

    Each unit goes where it reduces most, or raises least, the chi-square distance between what
    the splits hold of each symbol and what they should (after Sechidis et al. 2011).
    """
    unit_N, symbol_N = number_by_appearance(unit_of), number_in_order(symbol_of)
    counts_US = np.zeros((unit_N.max(initial=-1) + 1, symbol_N.max(initial=-1) + 1))
    np.add.at(counts_US, (unit_N, symbol_N), 1)
    total_S = np.maximum(counts_US.sum(axis=0), 1)
    is_open_K = shares_K > 0
    weight_KS = 1 / (np.where(is_open_K, shares_K, np.inf)[:, None] * total_S)
    missing_KS = shares_K[:, None] * total_S
    split_U = np.zeros(len(counts_US), dtype=np.int64)
    for unit in _rarest_first(counts_US, rng):
        symbols = np.flatnonzero(counts_US[unit])
        count_S = counts_US[unit, symbols]
        gain_KS = weight_KS[:, symbols] * count_S * (2 * missing_KS[:, symbols] - count_S)
        split_U[unit] = np.where(is_open_K, gain_KS.sum(axis=1), -np.inf).argmax()
        missing_KS[split_U[unit], symbols] -= count_S
    return split_U[unit_N]


def _rarest_first(counts_US: NDArray[np.float64], rng: np.random.Generator) -> IntArray:
    """Order units by how few units hold their rarest symbol, then the largest first."""
    has_US = counts_US > 0
    holders_S = has_US.sum(axis=0)
    rarity_U = np.where(has_US, holders_S, len(counts_US) + 1).min(axis=1, initial=len(counts_US))
    return np.lexsort((rng.random(len(counts_US)), -counts_US.sum(axis=1), rarity_U))


def first_of_unit(values_N: IntArray, unit_N: IntArray) -> IntArray:
    """Return `(U,)`, the value of the first sample of each unit."""
    _, first_U = np.unique(unit_N, return_index=True)
    return values_N[first_U]


def rank_in_symbol(symbol_U: IntArray, key_U: IntArray) -> tuple[IntArray, IntArray]:
    """Return each unit's place within its symbol, ordered by key, and the symbol's size."""
    order = np.lexsort((key_U, symbol_U))
    size_S = np.bincount(symbol_U)
    start_S = np.cumsum(size_S) - size_S
    rank_U = np.empty_like(symbol_U)
    rank_U[order] = np.arange(len(symbol_U)) - start_S[symbol_U[order]]
    return rank_U, size_S[symbol_U]
