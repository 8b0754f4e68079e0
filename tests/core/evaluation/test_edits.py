"""Edits between texts, and the rates that are made of them."""

import pytest

from bukva.core.evaluation.edits import Edit, Edits, are_right, list_edits
from bukva.errors import TableError


def test_edits_are_counted_in_characters_and_words() -> None:
    assert Edits.between("добрий день", "добрй дань") == Edits(11, 2, 2, 2)
    assert Edits.between("так", "так") == Edits(3, 0, 1, 0)


def test_an_empty_reference_counts_what_was_read_and_no_characters() -> None:
    assert Edits.between("", "аб в") == Edits(0, 4, 0, 2)
    assert Edits.between("", "") == Edits(0, 0, 0, 0)
    with pytest.raises(TableError, match="not empty"):
        _ = Edits.between("", "аб").cer


def test_rates_are_of_the_sum_so_that_long_lines_count_for_more() -> None:
    total = Edits.sum([Edits.between("а" * 9, "а" * 9), Edits.between("б", "в")])
    assert total.cer == pytest.approx(0.1)
    assert total.wer == pytest.approx(0.5)
    assert Edits.sum([]) == Edits(0, 0, 0, 0)


def test_each_edit_names_what_was_written_and_read() -> None:
    assert list_edits("кіт", "кит!") == [Edit("і", "и"), Edit("", "!")]
    assert list_edits("так", "ак") == [Edit("т", "")]


def test_words_are_right_where_the_alignment_keeps_them() -> None:
    assert are_right(["я", "тут", "був"], ["я", "там", "був", "вчора"]) == [
        True, False, True, False,
    ]  # fmt: skip
    assert are_right([], []) == []
