"""Columns of text, looked at a block at a time."""

import numpy as np
import pandas as pd
import pytest

from bukva.data import scratch_table, texts
from bukva.data.texts import hash_texts, is_repeated, number_texts


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(scratch_table, "BLOCK_ROWS", 4)


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
    monkeypatch.setattr(texts, "hash_texts", lambda given: np.zeros(len(given), dtype=np.uint64))
    assert is_repeated(pd.Series(["а", "б", "а", "в"])).tolist() == [True, False, True, False]
