"""Tables in temporary files behave as pandas tables do."""

from itertools import chain

import numpy as np
import pandas as pd
import pytest

from bukva.core import scratch_table
from bukva.core.scratch_table import (
    gather_blocks,
    hash_texts,
    is_repeated,
    iterate_blocks,
    number_texts,
)
from bukva.errors import TableError


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(scratch_table, "BLOCK_ROWS", 4)


def make_table(count: int = 11) -> pd.DataFrame:
    place = np.arange(count)
    text = pd.Series([None if row % 3 == 2 else "щось " + "я" * row for row in place], dtype="str")
    truth = pd.array([[True, False, None][row % 3] for row in place], dtype="boolean")
    height = np.where(place % 2, place / 7, np.nan)
    numbers = {"height": height, "cluster": place, "row": place.astype(np.int8)}
    columns = {"text": text, "truth": truth, **numbers, "is_even": place % 2 == 0}
    return pd.DataFrame(columns)


@pytest.mark.parametrize("count", [0, 1, 4, 11])
def test_the_blocks_of_a_table_are_the_table(count):
    table = make_table(count)
    gathered = gather_blocks(iterate_blocks(table))
    pd.testing.assert_frame_equal(gathered, table)
    assert isinstance(gathered.index, pd.RangeIndex)


def test_chosen_rows_and_rows_of_several_tables_are_numbered_anew():
    table, more = make_table(11), make_table(6)
    expected = pd.concat([table[table["is_even"]], more], ignore_index=True)
    chosen = (block[block["is_even"]] for block in iterate_blocks(table))
    pd.testing.assert_frame_equal(gather_blocks(chain(chosen, iterate_blocks(more))), expected)


def test_what_is_changed_in_a_table_stays_there():
    changed, other = (gather_blocks([make_table()]) for _ in range(2))
    for name, value in {"text": "інше", "truth": False, "height": 9.0, "cluster": 0}.items():
        changed.loc[3, name] = value
    pd.testing.assert_frame_equal(other, make_table())
    assert changed.loc[3, ["text", "height"]].tolist() == ["інше", 9.0]


def test_columns_are_mapped_and_not_copied():
    table = gather_blocks(iterate_blocks(make_table()))
    assert not table["height"].to_numpy().flags.owndata
    # As many pieces as were written: joining them would have copied them.
    assert table["text"].array.__arrow_array__().num_chunks == 3


def test_a_column_in_which_nothing_is_known_is_of_text():
    table = gather_blocks([pd.DataFrame({"group": [None, None]}), pd.DataFrame({"group": ["w1"]})])
    assert table["group"].dtype == "str"
    assert table["group"].isna().tolist() == [True, True, False]


REFUSED = {
    "text": ([["a list"]], "Expected text in column text, got object"),
    "truth": ([1.0], "Expected boolean in column truth, got float64"),
    "cluster": ([np.nan], "Expected int64 in column cluster, got float64"),
    "row": ([200], "Expected int8 in column row, got int64"),
    "is_even": (["yes"], "Expected bool in column is_even, got str"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_column_cannot_hold_is_refused(name):
    values, complaint = REFUSED[name]
    with pytest.raises(TableError, match=complaint):
        gather_blocks([make_table(3), make_table(1).assign(**{name: values})])


def test_other_columns_are_refused():
    with pytest.raises(TableError, match=r"Expected the columns .*'row'.*, got .*'line'"):
        gather_blocks([make_table(3), make_table(3).rename(columns={"row": "line"})])


def make_texts(count: int) -> pd.Series:
    """Texts of which those five apart are equal, but for one that is unknown."""
    named = pd.Series([f"writer {row % 5}" for row in range(count)], dtype="str")
    return named.mask(named.index == 3).set_axis(np.arange(count)[::-1])


@pytest.mark.parametrize("count", [0, 3, 4, 23])
def test_equal_texts_have_equal_numbers_across_blocks(count):
    given = make_texts(count)
    hashes = hash_texts(given)
    np.testing.assert_array_equal(
        pd.factorize(hashes)[0], given.factorize(use_na_sentinel=False)[0]
    )


def test_texts_are_numbered_by_their_place_among_those_that_are_known():
    numbers = number_texts(make_texts(9), ["writer 4", "nobody", "writer 1"])
    np.testing.assert_array_equal(numbers, [-1, 2, -1, -1, 0, -1, 2, -1, -1])
    assert number_texts(make_texts(0), []).shape == (0,)


def test_a_text_is_repeated_where_it_stands_in_another_row():
    given = make_texts(9)
    np.testing.assert_array_equal(is_repeated(given), given.duplicated(keep=False))
    assert is_repeated(given).tolist() == [True, True, True, False, False, True, True, True, False]


def test_different_texts_of_one_hash_are_not_repeated(monkeypatch):
    monkeypatch.setattr(
        scratch_table, "hash_texts", lambda given: np.zeros(len(given), dtype=np.uint64)
    )
    assert is_repeated(pd.Series(["а", "б", "а", "в"])).tolist() == [True, False, True, False]
