import pytest
from hypothesis import given
from hypothesis import strategies as st

from bukva.errors import CharsetError
from bukva.tasks.glyph.charset import (
    DIGITS,
    DISTINCT_FORM,
    LABELS,
    LETTERS,
    SYMBOLS,
    decode,
    encode,
    from_symbol,
    is_letter,
    to_symbol,
)


def test_the_alphabet_has_ten_digits_and_33_letters_in_two_cases():
    assert len(set(DIGITS)) == 10
    assert len(set(LETTERS)) == 33
    assert len(set(LABELS)) == 43
    assert len(set(SYMBOLS)) == 76
    assert set("ґєії") <= set(LETTERS)
    assert not set("ыэёъ") & set(LETTERS)


def test_no_letter_is_a_latin_lookalike():
    assert all("\u0400" <= letter <= "\u04ff" for letter in LETTERS + LETTERS.upper())


def test_capitals_that_differ_are_letters():
    assert set(LETTERS) > DISTINCT_FORM


@given(st.sampled_from(LABELS))
def test_decoding_undoes_encoding(label):
    assert decode(encode(label)) == label


@given(st.integers(0, 42))
def test_encoding_undoes_decoding(index):
    assert encode(decode(index)) == index


@given(st.sampled_from(SYMBOLS))
def test_a_symbol_is_its_label_in_its_case(symbol):
    label, is_uppercase = from_symbol(symbol)
    assert to_symbol(label, is_uppercase) == symbol
    assert is_letter(label) == (is_uppercase is not None)


@pytest.mark.parametrize(
    ("symbol", "label", "is_uppercase"),
    [("Ґ", "ґ", True), ("ґ", "ґ", False), ("7", "7", None), ("Ї", "ї", True), ("Ь", "ь", True)],
)
def test_symbols_by_example(symbol, label, is_uppercase):
    assert from_symbol(symbol) == (label, is_uppercase)


@pytest.mark.parametrize("is_uppercase", [True, False, None])
def test_a_digit_stays_as_it_is_in_any_case(is_uppercase):
    assert to_symbol("7", is_uppercase) == "7"


def test_a_letter_of_unknown_case_is_written_small():
    assert to_symbol("ж", None) == "ж"


@given(st.text().filter(lambda text: len(text) != 1 or text not in LABELS))
def test_what_is_no_label_is_refused_and_named(text):
    with pytest.raises(CharsetError, match="Expected one of the 43 labels") as refusal:
        encode(text)
    assert repr(text) in str(refusal.value)


@given(st.text().filter(lambda text: len(text) != 1 or text not in SYMBOLS))
def test_what_is_no_symbol_is_refused(text):
    with pytest.raises(CharsetError, match="76 symbols"):
        from_symbol(text)


@pytest.mark.parametrize("label", ["", "ab", "аб", "Ж", "a", "ы", "01"])
def test_neighbours_of_labels_are_refused(label):
    with pytest.raises(CharsetError):
        encode(label)
    with pytest.raises(CharsetError):
        to_symbol(label, True)


@pytest.mark.parametrize("index", [-1, 43, 1000])
def test_an_index_outside_the_alphabet_is_refused(index):
    with pytest.raises(CharsetError, match=rf"0\.\.42, got {index}"):
        decode(index)


def test_an_error_of_the_alphabet_is_a_value_error_too():
    assert issubclass(CharsetError, ValueError)
