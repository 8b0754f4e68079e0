"""Who trains, who validates, who is tested: nothing that belongs together is torn apart.

A *unit* is what falls on one side as a whole: a near-duplicate cluster, or a group (writer,
document, scan batch). A *symbol* is a label in one case; a corpus without cases has one per label.

Shapes: N samples, U units, S symbols, K splits or folds.
"""

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bukva.errors import ParameterError, TableError

Policy: TypeAlias = Literal["own", "stratified", "grouped", "published", "unseen", "taught"]
FoldsBy: TypeAlias = Literal["symbol", "group", "block"]

IntArray: TypeAlias = NDArray[np.int64]

_LOOKED_AT: Final = (
    "sample_id", "corpus", "label", "is_uppercase", "group", "own_split", "is_published", "cluster",
)  # fmt: skip
_SPLITS: Final = np.array(["train", "valid", "test"], dtype=object)
_TRAIN, _VALID, _TEST, _UNDECIDED = 0, 1, 2, -1
_POLICIES: Final = get_args(Policy)
_WHOLE: Final[Mapping[str, int]] = {"stratified": _UNDECIDED, "unseen": _TEST, "taught": _TRAIN}
"""Policies under which all samples of a corpus are alike before any draw."""


def assign_splits(
    table: pd.DataFrame,
    policy: Mapping[str, Policy],
    *,
    valid_share: float,
    test_share: float,
    seed: int,
) -> pd.Series:
    """Return the split of each sample: `train`, `valid`, `test`, or `drop`.

    By corpus, `own` keeps the corpus's own test (and its own valid, if it has one), `published`
    tests on the samples with `is_published`; both take valid from the rest. `stratified` draws
    each symbol's share, and at least one sample a split where the symbol has three. `grouped`
    keeps whole groups together and the shares of the symbols as even as that allows; samples
    without a group stand alone. The other policies do not look at `group`. `unseen` tests on every
    sample, `taught` trains on every one.

    No cluster crosses splits. Where one would (it touches a fixed test sample, spans two corpora
    or two groups), its members outside the highest split that it touches (test, valid, train)
    get `drop`: `bukva.data.duplicates.duplicate_report` counts them.

    Args:
        table: One row a sample with `sample_id`, `corpus`, `label`, `is_uppercase`, `group`,
            `own_split`, `is_published`, `cluster`.
        policy: Policy of each corpus in the table.
        valid_share: Share for validation, 0..1, of the samples that are not fixed.
        test_share: Share for the test, 0..1, where the policy draws one.
        seed: Of the draws; the answer does not depend on the order of the rows.

    Returns:
        Series of str with the index of `table`.

    Raises:
        ParameterError: If a corpus has no policy or an unknown one, or the shares are impossible.
        TableError: If a corpus with policy `own` has samples without `own_split`.
    """
    _check_policies(table, policy, valid_share, test_share)
    # Only what is looked at: of a million samples, the rest is 130 MB.
    ordered = table[list(_LOOKED_AT)].sort_values("sample_id", kind="stable")
    split = pd.Series(_UNDECIDED, index=ordered.index)
    for corpus, rows in ordered.groupby("corpus", sort=True):
        rng = np.random.default_rng([seed, *str(corpus).encode()])
        shares = np.array([1 - valid_share - test_share, valid_share, test_share])
        split[rows.index] = _split_corpus(rows, policy[str(corpus)], shares, rng)
    highest = split.groupby(ordered["cluster"]).transform("max")
    names = pd.Series(_SPLITS[split.to_numpy()], index=ordered.index, name="split", dtype="str")
    return names.where(split == highest, "drop").reindex(table.index)


def _check_policies(
    table: pd.DataFrame, policy: Mapping[str, Policy], valid_share: float, test_share: float
) -> None:
    if min(valid_share, test_share) < 0 or valid_share + test_share >= 1:
        message = f"Expected shares that leave some to train on, got {valid_share}, {test_share}."
        raise ParameterError(message)
    if not table.index.is_unique:
        raise TableError("Expected one index value a sample, got some twice: reset the index.")
    for corpus in sorted(table["corpus"].unique()):
        if policy.get(corpus) not in _POLICIES:
            message = f"Expected a split policy of {_POLICIES} for corpus {corpus!r}, got "
            raise ParameterError(message + f"{policy.get(corpus)!r}: name it in its manifest.")


def _split_corpus(
    rows: pd.DataFrame, policy: Policy, shares_K: NDArray[np.float64], rng: np.random.Generator
) -> IntArray:
    if policy == "grouped":
        return _deal_groups(_groups_or_clusters(rows), _symbols(rows), shares_K, rng)
    split_N = _fixed_split(rows, policy)
    if policy != "stratified":
        has_own_valid = bool((split_N == _VALID).any())
        shares_K = np.array([1.0, 0.0 if has_own_valid else shares_K[_VALID], 0.0])
    # A free member of a cluster that touches the fixed test will be dropped: it takes no place.
    fixed = pd.Series(split_N, index=rows.index).groupby(rows["cluster"]).transform("max")
    is_free_N = (fixed == _UNDECIDED).to_numpy()
    free = rows[is_free_N]
    split_N[is_free_N] = _deal_symbols(_codes(free["cluster"]), _symbols(free), shares_K, rng)
    split_N[split_N == _UNDECIDED] = _TRAIN
    return split_N


def _fixed_split(rows: pd.DataFrame, policy: Policy) -> IntArray:
    if policy == "published":
        is_published_N = rows["is_published"].to_numpy(dtype=bool)
        return np.where(is_published_N, _TEST, _UNDECIDED).astype(np.int64)
    if policy in _WHOLE:
        return np.full(len(rows), _WHOLE[policy])
    own = rows["own_split"]
    if not own.isin(list(_SPLITS)).all():
        name = rows["sample_id"][~own.isin(list(_SPLITS))].iloc[0]
        message = f"Expected one of {list(_SPLITS)} in own_split of each sample, not in {name!r}: "
        raise TableError(message + "the policy 'own' is for corpora that bring their split.")
    fixed = own.map({"train": _UNDECIDED, "valid": _VALID, "test": _TEST})
    return np.array(fixed, dtype=np.int64)


def _deal_symbols(
    unit_N: IntArray, symbol_N: IntArray, shares_K: NDArray[np.float64], rng: np.random.Generator
) -> IntArray:
    """Deal the units of each symbol to splits, in a random order, by their shares."""
    symbol_U = _first_of_unit(symbol_N, unit_N)
    rank_U, size_U = _random_ranks(symbol_U, rng)
    tested_U = _quota(size_U, shares_K[_TEST], most_U=size_U - 2)
    held_U = tested_U + _quota(size_U, shares_K[_VALID], most_U=size_U - tested_U - 1)
    split_U = np.select([rank_U < tested_U, rank_U < held_U], [_TEST, _VALID], _TRAIN)
    return split_U[unit_N]


def _quota(size_U: IntArray, share: float, *, most_U: IntArray) -> IntArray:
    """Return how many of `size` a share is: one at least, and none of fewer than three."""
    if share == 0:
        return np.zeros_like(size_U)
    wanted_U = np.clip(np.round(size_U * share), 1, most_U)
    return np.where(size_U >= 3, wanted_U, 0).astype(np.int64)


def _deal_groups(
    unit_N: IntArray, symbol_N: IntArray, shares_K: NDArray[np.float64], rng: np.random.Generator
) -> IntArray:
    """Deal whole units so that each symbol comes near its shares: greedy, rarest symbols first.

    Each unit goes where it reduces most, or raises least, the chi-square distance between what
    the splits hold of each symbol and what they should (after Sechidis et al. 2011).
    """
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
    symbol_N, cluster_N = _symbols(table), _codes(table["cluster"])
    if by == "group":
        unit_N = _groups_or_clusters(table)
        fold_N = _deal_groups(unit_N, symbol_N, np.full(folds, 1 / folds), rng)
        fold_N = np.where(_first_of_unit(fold_N, cluster_N)[cluster_N] == fold_N, fold_N, -1)
        return pd.Series(fold_N, index=table.index, name="fold")
    symbol_U = _first_of_unit(symbol_N, cluster_N)
    if by == "block":
        rank_U, size_U = _ranks(symbol_U, np.arange(len(symbol_U)))
        fold_U = rank_U * folds // size_U
    else:
        # Counting on from symbol to symbol keeps the folds even where symbols are few.
        fold_U = np.empty_like(symbol_U)
        fold_U[np.lexsort((rng.random(len(symbol_U)), symbol_U))] = np.arange(len(symbol_U)) % folds
    return pd.Series(fold_U[cluster_N], index=table.index, name="fold")


def _symbols(rows: pd.DataFrame) -> IntArray:
    """Return `(N,)`, a number for each combination of corpus, label and case."""
    case = rows["is_uppercase"].astype("boolean").astype("Int8").fillna(-1)
    numbers = rows.groupby([rows["corpus"], rows["label"], case], sort=True).ngroup()
    return np.asarray(numbers, dtype=np.int64)


def _groups_or_clusters(rows: pd.DataFrame) -> IntArray:
    """Return `(N,)`, the unit of each sample: its group in its corpus, else its cluster."""
    has_group = rows["group"].notna()
    group = rows["corpus"] + "\0" + rows["group"].astype("str")
    return _codes(group.where(has_group, "\0" + rows["cluster"].astype("str")))


def _codes(values: pd.Series) -> IntArray:
    """Return values as numbers from 0 in the order of their first appearance."""
    return pd.factorize(values)[0].astype(np.int64)


def _first_of_unit(values_N: IntArray, unit_N: IntArray) -> IntArray:
    """Return `(U,)`, the value of the first sample of each unit."""
    _, first_U = np.unique(unit_N, return_index=True)
    return values_N[first_U]


def _random_ranks(symbol_U: IntArray, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
    return _ranks(symbol_U, rng.permutation(len(symbol_U)))


def _ranks(symbol_U: IntArray, key_U: IntArray) -> tuple[IntArray, IntArray]:
    """Return each unit's place within its symbol, ordered by key, and the symbol's size."""
    order = np.lexsort((key_U, symbol_U))
    size_S = np.bincount(symbol_U)
    start_S = np.cumsum(size_S) - size_S
    rank_U = np.empty_like(symbol_U)
    rank_U[order] = np.arange(len(symbol_U)) - start_S[symbol_U[order]]
    return rank_U, size_S[symbol_U]
