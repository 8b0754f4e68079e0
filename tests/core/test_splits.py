import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from split_tables import make_table, symbols

from bukva.core.splits import assign_splits
from bukva.errors import ParameterError, TableError

SHARES = {"valid_share": 0.15, "test_share": 0.2, "seed": 3}


def sides(values: pd.Series, split: pd.Series) -> int:
    """Return the most splits that any value stands in, dropped samples aside."""
    kept = split != "drop"
    return int(split[kept].groupby(values[kept].to_numpy()).nunique().max())


def test_stratified_gives_each_symbol_its_shares():
    table = make_table(1400)
    split = assign_splits(table, {"paper": "stratified"}, **SHARES)
    by_symbol = pd.crosstab(symbols(table), split, normalize="index")
    assert by_symbol["test"].between(0.195, 0.205).all()
    assert by_symbol["valid"].between(0.145, 0.155).all()
    assert set(split) == {"train", "valid", "test"}


def test_what_is_taught_is_trained_on_and_moves_nothing_else():
    table = pd.concat([make_table(300), make_table(60, corpus="given")], ignore_index=True)
    policies = {"paper": "stratified", "given": "taught"}
    split = assign_splits(table.assign(cluster=range(360)), policies, **SHARES)
    assert set(split[300:]) == {"train"}
    alone = assign_splits(make_table(300), {"paper": "stratified"}, **SHARES)
    pd.testing.assert_series_equal(split[:300], alone)


def test_a_symbol_of_three_samples_is_in_every_split_and_one_of_two_trains():
    table = make_table(5, labels="а").assign(label=list("аааґґ"), is_uppercase=False)
    split = assign_splits(table, {"paper": "stratified"}, **SHARES)
    assert set(split[:3]) == {"train", "valid", "test"}
    assert list(split[3:]) == ["train", "train"]


def test_large_shares_leave_something_to_train_on():
    table = make_table(400)
    split = assign_splits(table, {"paper": "stratified"}, valid_share=0.6, test_share=0.35, seed=0)
    counts = pd.crosstab(symbols(table), split)
    assert (counts["train"] > 0).all()
    assert (split == "valid").mean() == pytest.approx(0.6, abs=0.02)


def test_zero_shares_draw_nothing():
    split = assign_splits(
        make_table(), {"paper": "stratified"}, valid_share=0, test_share=0, seed=0
    )
    assert set(split) == {"train"}


def test_own_keeps_the_test_and_takes_valid_from_train():
    table = make_table(1000, labels="0123")
    table["own_split"] = ["test" if place % 5 == 0 else "train" for place in range(1000)]
    split = assign_splits(table, {"paper": "own"}, **SHARES)
    assert ((split == "test") == (table["own_split"] == "test")).all()
    assert (split == "valid").sum() == pytest.approx(0.15 * 800, abs=3)


def test_own_keeps_its_own_valid():
    table = make_table(300)
    table["own_split"] = ["train", "valid", "test"] * 100
    split = assign_splits(table, {"paper": "own"}, **SHARES)
    assert list(split) == list(table["own_split"])


def test_own_refuses_samples_without_a_split():
    table = make_table(3).assign(own_split=["train", None, "test"])
    with pytest.raises(TableError, match="not in 'paper/00001'"):
        assign_splits(table, {"paper": "own"}, **SHARES)


def test_published_tests_on_exactly_the_published_samples():
    table = make_table(500)
    table["is_published"] = table.index % 7 == 0
    split = assign_splits(table, {"paper": "published"}, **SHARES)
    assert ((split == "test") == table["is_published"]).all()
    assert set(split[~table["is_published"]]) == {"train", "valid"}


def test_an_unseen_corpus_is_tested_on_whole_and_its_copies_are_not_trained_on():
    paper, screen = make_table(200), make_table(200, corpus="screen")
    paper["is_published"] = paper.index < 20
    screen["cluster"] += 200
    screen.loc[:9, "cluster"] = np.arange(100, 110)
    table = pd.concat([paper, screen], ignore_index=True)
    split = assign_splits(table, {"paper": "unseen", "screen": "stratified"}, **SHARES)
    assert set(split[:200]) == {"test"}
    assert set(split[200:210]) <= {"drop", "test"}
    assert set(split[210:]) == {"train", "valid", "test"}


def test_copies_of_a_fixed_test_sample_are_dropped_from_training():
    table = make_table(500)
    table["is_published"] = table.index < 50
    table.loc[[100, 101], "cluster"] = 0  # copies of the published sample 0
    split = assign_splits(table, {"paper": "published"}, **SHARES)
    assert list(split[[0, 100, 101]]) == ["test", "drop", "drop"]
    assert (split == "drop").sum() == 2


def test_a_copy_in_another_corpus_is_dropped_too():
    paper, screen = make_table(200), make_table(200, corpus="screen")
    paper["is_published"] = paper.index < 20
    screen["cluster"] += 200
    screen.loc[:19, "cluster"] = np.arange(20)
    table = pd.concat([paper, screen], ignore_index=True)
    split = assign_splits(table, {"paper": "published", "screen": "stratified"}, **SHARES)
    assert set(split[200:220]) <= {"drop", "test"}
    assert "drop" in set(split[200:220])
    assert sides(table["cluster"], split) == 1


def test_grouped_keeps_groups_whole_and_symbols_even():
    table = make_table(6000, labels="абвгд", groups=120)
    split = assign_splits(table, {"paper": "grouped"}, **SHARES)
    assert sides(table["group"], split) == 1
    by_symbol = pd.crosstab(symbols(table), split, normalize="index")
    assert by_symbol["test"].between(0.17, 0.23).all()
    assert by_symbol["valid"].between(0.12, 0.18).all()


def test_grouped_brings_a_rare_symbol_into_every_split():
    table = make_table(3000, groups=60)
    rare = table.index[::300]
    table.loc[rare, ["label", "is_uppercase"]] = ["ґ", True]
    split = assign_splits(table, {"paper": "grouped"}, **SHARES)
    assert set(split[rare]) == {"train", "valid", "test"}


def test_grouped_without_groups_is_stratified():
    table = make_table(2000)
    split = assign_splits(table, {"paper": "grouped"}, **SHARES)
    by_symbol = pd.crosstab(symbols(table), split, normalize="index")
    assert by_symbol["test"].between(0.19, 0.21).all()


def test_one_group_name_in_two_corpora_is_two_groups():
    table = pd.concat(
        [make_table(600, groups=20), make_table(600, corpus="screen", groups=20, seed=1)],
        ignore_index=True,
    ).assign(cluster=np.arange(1200))
    split = assign_splits(table, {"paper": "grouped", "screen": "grouped"}, **SHARES)
    assert sides(table["corpus"] + table["group"], split) == 1
    assert sides(table["group"], split) > 1


def test_the_order_of_rows_and_other_corpora_do_not_matter():
    paper = make_table(300)
    both = pd.concat([paper, make_table(100, corpus="screen")], ignore_index=True)
    both["cluster"] = np.arange(400)
    policy = {"paper": "stratified", "screen": "stratified"}
    alone = assign_splits(paper, policy, **SHARES)
    assert (
        assign_splits(paper.sample(frac=1, random_state=1), policy, **SHARES)
        .sort_index()
        .equals(alone)
    )
    assert assign_splits(both, policy, **SHARES)[:300].equals(alone)
    assert not assign_splits(paper, policy, **SHARES | {"seed": 4}).equals(alone)


@given(
    policy=st.sampled_from(["own", "stratified", "grouped", "published"]),
    screen_policy=st.sampled_from(["stratified", "grouped"]),
    clusters=st.integers(5, 300),
    seed=st.integers(0, 2**31),
)
@settings(max_examples=60, deadline=None)
def test_nothing_that_belongs_together_is_torn_apart(policy, screen_policy, clusters, seed):
    rng = np.random.default_rng(seed)
    table = pd.concat(
        [
            make_table(120, groups=12, seed=seed),
            make_table(80, corpus="screen", groups=9, seed=seed + 1),
        ],
        ignore_index=True,
    )
    table["cluster"] = rng.integers(0, clusters, 200)
    table["own_split"] = rng.choice(["train", "test"], 200)
    table["is_published"] = rng.random(200) < 0.2
    policies = {"paper": policy, "screen": screen_policy}
    split = assign_splits(table, policies, valid_share=0.2, test_share=0.2, seed=seed)
    assert sides(table["cluster"], split) == 1
    for corpus, rows in table.groupby("corpus"):
        if policies[corpus] == "grouped" and (split[rows.index] != "drop").any():
            assert sides(rows["group"], split[rows.index]) == 1
    fixed = {"own": table["own_split"] == "test", "published": table["is_published"]}.get(policy)
    if fixed is not None:
        assert (split[fixed & (table["corpus"] == "paper")] == "test").all()


@pytest.mark.parametrize(
    ("policy", "shares", "message"),
    [
        ({}, {}, "corpus 'paper', got None"),
        ({"paper": "random"}, {}, "got 'random'"),
        ({"paper": "stratified"}, {"valid_share": 0.8}, "leave some to train on"),
        ({"paper": "stratified"}, {"test_share": -0.1}, "leave some to train on"),
    ],
)
def test_impossible_requests_are_refused(policy, shares, message):
    with pytest.raises(ParameterError, match=message):
        assign_splits(make_table(10), policy, **SHARES | shares)


def test_an_index_that_repeats_is_refused():
    with pytest.raises(TableError, match="reset the index"):
        assign_splits(make_table(4).set_index(np.zeros(4, int)), {"paper": "own"}, **SHARES)
