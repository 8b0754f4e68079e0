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

from bukva.data.dealing import TEST, TRAIN, VALID, deal_groups, deal_symbols
from bukva.data.numbering import (
    IntArray,
    number_by_appearance,
    number_groups,
    number_symbols,
)
from bukva.data.texts import number_texts
from bukva.errors import ParameterError, TableError

Policy: TypeAlias = Literal["own", "stratified", "grouped", "published", "unseen", "taught"]

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
            "symbol": number_symbols(table),
            "unit": number_groups(table),
            "own": number_texts(table["own_split"], _SPLITS[:_DROP]).astype(np.int8),
            "is_published": table["is_published"].to_numpy(dtype=bool),
            "cluster": number_by_appearance(table["cluster"]),
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
        return deal_groups(rows["unit"], rows["symbol"], shares_K, rng)
    split_N = _fixed_split(rows, policy)
    if policy != "stratified":
        has_own_valid = bool((split_N == VALID).any())
        shares_K = np.array([1.0, 0.0 if has_own_valid else shares_K[VALID], 0.0])
    # A free member of a cluster that touches the fixed test will be dropped: it takes no place.
    is_free_N = _highest_in_cluster(split_N, rows["cluster"]) == _UNDECIDED
    free = rows.loc[is_free_N, ["symbol", "cluster"]]
    split_N[is_free_N] = deal_symbols(free["cluster"], free["symbol"], shares_K, rng)
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
