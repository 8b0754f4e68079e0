"""Who trains, who validates, who is tested, and the folds of cross-validation.

Nothing that belongs together is torn apart. A *unit* is what falls on one side as a whole: a
near-duplicate cluster, or a group (writer, document, scan batch). A *symbol* is a label in one
case; a corpus without cases has one per label.

Shapes: N samples, U units, S symbols, K splits or folds.
"""

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bukva.core.scratch_table import number_texts
from bukva.errors import ParameterError, TableError

IntArray: TypeAlias = NDArray[np.integer]
Policy: TypeAlias = Literal["own", "stratified", "grouped", "published", "unseen", "taught"]
FoldsBy: TypeAlias = Literal["symbol", "group", "block"]

TRAIN, VALID, TEST = 0, 1, 2
_SPLITS: Final = ("train", "valid", "test", "drop")
_DROP, _UNDECIDED = 3, -1
_POLICIES: Final = get_args(Policy)
_WHOLE: Final[Mapping[str, int]] = {"stratified": _UNDECIDED, "unseen": TEST, "taught": TRAIN}
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
    get `drop`: `bukva.core.duplicates.duplicate_report` counts them.

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
    # Numbers, put in order: of texts, a second table would be as large as the first.
    facts = _number(table)
    _check_own_splits(table, facts, policy)
    order_N = np.asarray(table["sample_id"].array.argsort())
    facts = facts.iloc[order_N]
    split_N = np.full(len(facts), _UNDECIDED, dtype=np.int8)
    for corpus in facts["corpus"].cat.categories:
        rng = np.random.default_rng([seed, *str(corpus).encode()])
        shares = np.array([1 - valid_share - test_share, valid_share, test_share])
        is_corpus_N = facts["corpus"].eq(corpus).to_numpy()
        split_N[is_corpus_N] = _split_corpus(facts[is_corpus_N], policy[corpus], shares, rng)
    is_kept_N = split_N == _highest_in_cluster(split_N, facts["cluster"])
    code_N = np.empty_like(split_N)
    code_N[order_N] = np.where(is_kept_N, split_N, _DROP)
    names = pd.array(_SPLITS, dtype="str").take(code_N)
    return pd.Series(names, index=table.index, name="split")


def _number(table: pd.DataFrame) -> pd.DataFrame:
    """Return what the splits depend on, as numbers."""
    return pd.DataFrame(
        {
            "corpus": pd.Categorical(table["corpus"]),
            "symbol": _number_symbols(table),
            "unit": _number_groups(table),
            "own": number_texts(table["own_split"], _SPLITS[:_DROP]).astype(np.int8),
            "is_published": table["is_published"].to_numpy(dtype=bool),
            "cluster": _factorize(table["cluster"]),
        }
    )


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


def _check_own_splits(
    table: pd.DataFrame, facts: pd.DataFrame, policy: Mapping[str, Policy]
) -> None:
    corpora = [corpus for corpus in facts["corpus"].cat.categories if policy[corpus] == "own"]
    is_lacking = facts["corpus"].isin(corpora) & facts["own"].eq(_UNDECIDED)
    if is_lacking.any():
        name = table["sample_id"][is_lacking.to_numpy()].min()
        message = f"Expected one of {_SPLITS[:_DROP]} in own_split of each sample, not in {name!r}:"
        raise TableError(message + " the policy 'own' is for corpora that bring their split.")


def _split_corpus(
    rows: pd.DataFrame, policy: Policy, shares_K: NDArray[np.float64], rng: np.random.Generator
) -> IntArray:
    if policy == "grouped":
        return _deal_groups(rows["unit"], rows["symbol"], shares_K, rng)
    split_N = _fixed_split(rows, policy)
    if policy != "stratified":
        has_own_valid = bool((split_N == VALID).any())
        shares_K = np.array([1.0, 0.0 if has_own_valid else shares_K[VALID], 0.0])
    # A free member of a cluster that touches the fixed test will be dropped: it takes no place.
    is_free_N = _highest_in_cluster(split_N, rows["cluster"]) == _UNDECIDED
    free = rows.loc[is_free_N, ["symbol", "cluster"]]
    split_N[is_free_N] = _deal_symbols(free["cluster"], free["symbol"], shares_K, rng)
    split_N[split_N == _UNDECIDED] = TRAIN
    return split_N


def _highest_in_cluster(split_N: IntArray, cluster: pd.Series) -> IntArray:
    """Return `(N,)`, the highest split that the cluster of each sample touches."""
    cluster_N = cluster.to_numpy()
    highest_U = np.full(cluster_N.max(initial=-1) + 1, _UNDECIDED, dtype=np.int8)
    np.maximum.at(highest_U, cluster_N, split_N)
    of_cluster_N: IntArray = highest_U[cluster_N]
    return of_cluster_N


def _fixed_split(rows: pd.DataFrame, policy: Policy) -> IntArray:
    if policy in _WHOLE:
        return np.full(len(rows), _WHOLE[policy], dtype=np.int8)
    if policy == "published":
        return np.where(rows["is_published"], np.int8(TEST), np.int8(_UNDECIDED))
    return np.where(rows["own"] == TRAIN, np.int8(_UNDECIDED), rows["own"])


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
    symbol_N, cluster_N = _number_symbols(table), _factorize(table["cluster"])
    if by == "group":
        fold_N = _deal_groups(_number_groups(table), symbol_N, np.full(folds, 1 / folds), rng)
        fold_N = np.where(_first_of_unit(fold_N, cluster_N)[cluster_N] == fold_N, fold_N, -1)
        return pd.Series(fold_N, index=table.index, name="fold")
    symbol_U = _first_of_unit(symbol_N, cluster_N)
    if by == "block":
        rank_U, size_U = _rank_in_symbol(symbol_U, np.arange(len(symbol_U)))
        fold_U = rank_U * folds // size_U
    else:
        # Counting on from symbol to symbol keeps the folds even where symbols are few.
        fold_U = np.empty_like(symbol_U)
        fold_U[np.lexsort((rng.random(len(symbol_U)), symbol_U))] = np.arange(len(symbol_U)) % folds
    return pd.Series(fold_U[cluster_N], index=table.index, name="fold")


def _deal_symbols(
    unit_of: ArrayLike,
    symbol_of: ArrayLike,
    shares_K: NDArray[np.float64],
    rng: np.random.Generator,
) -> IntArray:
    """Deal the units of each symbol to splits, in a random order, by their shares."""
    unit_N, symbol_N = _factorize(unit_of), _close_gaps(symbol_of)
    symbol_U = _first_of_unit(symbol_N, unit_N)
    rank_U, size_U = _rank_in_symbol(symbol_U, rng.permutation(len(symbol_U)))
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


def _deal_groups(
    unit_of: ArrayLike,
    symbol_of: ArrayLike,
    shares_K: NDArray[np.float64],
    rng: np.random.Generator,
) -> IntArray:
    """Deal whole units so that each symbol comes near its shares: greedy, rarest symbols first.

    Each unit goes where it reduces most, or raises least, the chi-square distance between what
    the splits hold of each symbol and what they should (after Sechidis et al. 2011).
    """
    unit_N, symbol_N = _factorize(unit_of), _close_gaps(symbol_of)
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


def _first_of_unit(values_N: IntArray, unit_N: IntArray) -> IntArray:
    """Return `(U,)`, the value of the first sample of each unit."""
    _, first_U = np.unique(unit_N, return_index=True)
    return values_N[first_U]


def _rank_in_symbol(symbol_U: IntArray, key_U: IntArray) -> tuple[IntArray, IntArray]:
    """Return each unit's place within its symbol, ordered by key, and the symbol's size."""
    order = np.lexsort((key_U, symbol_U))
    size_S = np.bincount(symbol_U)
    start_S = np.cumsum(size_S) - size_S
    rank_U = np.empty_like(symbol_U)
    rank_U[order] = np.arange(len(symbol_U)) - start_S[symbol_U[order]]
    return rank_U, size_S[symbol_U]


def _number_symbols(rows: pd.DataFrame) -> IntArray:
    """Return `(N,)`, a number for each combination of corpus, label and case."""
    labels = sorted(rows["label"].unique())
    case_N = rows["is_uppercase"].astype("boolean").astype("Int8").fillna(-1).to_numpy(np.int8)
    symbol_N = _number_corpora(rows) * len(labels) + number_texts(rows["label"], labels)
    return _close_gaps(symbol_N * 3 + case_N + 1)


def _number_groups(rows: pd.DataFrame) -> IntArray:
    """Return `(N,)`, the unit of each sample: its group in its corpus, else its cluster."""
    groups = rows["group"].dropna().unique()
    group_N = _number_corpora(rows) * len(groups) + number_texts(rows["group"], groups)
    return np.where(rows["group"].isna(), -1 - rows["cluster"].to_numpy(dtype=np.int32), group_N)


def _close_gaps(values: ArrayLike) -> IntArray:
    """Return small numbers from 0 as numbers from 0 without gaps, in the same order."""
    values_N = np.asarray(values)
    places = np.cumsum(np.bincount(values_N) > 0, dtype=np.int32) - 1
    ranked_N: IntArray = places[values_N]
    return ranked_N


def _factorize(values: ArrayLike) -> IntArray:
    """Return values as numbers from 0 in the order of their first appearance."""
    return pd.factorize(np.asarray(values))[0].astype(np.int32)


def _number_corpora(rows: pd.DataFrame) -> IntArray:
    return number_texts(rows["corpus"], sorted(rows["corpus"].unique()))
