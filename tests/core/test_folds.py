"""Folds keep together what belongs together."""

import numpy as np
import pandas as pd
import pytest
from split_tables import make_table, symbols

from bukva.core.splits import k_folds
from bukva.errors import ParameterError


def test_folds_by_symbol_are_even_and_repeatable():
    table = make_table(1003)
    folds = k_folds(table, 5, seed=0)
    counts = pd.crosstab(symbols(table), folds)
    assert (counts.max(axis=1) - counts.min(axis=1)).max() <= 1
    assert folds.value_counts().max() - folds.value_counts().min() <= 1
    assert folds.equals(k_folds(table, 5, seed=0))
    assert not folds.equals(k_folds(table, 5, seed=1))


def test_folds_by_group_keep_groups_whole():
    table = make_table(3000, groups=60)
    folds = k_folds(table, 5, seed=0, by="group")
    assert folds.groupby(table["group"]).nunique().max() == 1
    assert folds.value_counts(normalize=True).between(0.17, 0.23).all()


def test_folds_by_group_tell_groups_of_two_corpora_apart():
    table = pd.concat(
        [make_table(600, groups=20), make_table(600, corpus="screen", groups=20, seed=1)],
        ignore_index=True,
    ).assign(cluster=np.arange(1200))
    folds = k_folds(table, 5, seed=0, by="group")
    assert folds.groupby(table["corpus"] + table["group"]).nunique().max() == 1
    assert folds.groupby(table["group"]).nunique().max() > 1


def test_folds_by_block_are_runs_of_each_symbol():
    table = make_table(600)
    folds = k_folds(table, 4, seed=0, by="block")
    for _, fold in folds.groupby(symbols(table)):
        assert fold.is_monotonic_increasing
        assert set(fold) == {0, 1, 2, 3}


@pytest.mark.parametrize("by", ["symbol", "group", "block"])
def test_no_cluster_crosses_folds(by):
    table = make_table(500, groups=40)
    table["cluster"] = np.random.default_rng(0).integers(0, 300, 500)
    folds = k_folds(table, 5, seed=0, by=by)
    kept = folds[folds >= 0]
    assert kept.groupby(table["cluster"]).nunique().max() == 1
    assert set(kept) == {0, 1, 2, 3, 4}
    assert (folds >= 0).all() == (by != "group")


@pytest.mark.parametrize(("folds", "by"), [(1, "symbol"), (5, "writer")])
def test_impossible_folds_are_refused(folds, by):
    with pytest.raises(ParameterError, match="2 or more folds"):
        k_folds(make_table(10), folds, seed=0, by=by)
