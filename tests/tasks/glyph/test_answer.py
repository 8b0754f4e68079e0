"""What an answer may be, and what it becomes where a letter or a digit is known to be meant."""

import math

import pytest
from pydantic import ValidationError

from bukva.tasks.glyph.answer import EITHER_BELOW, Recognition, name_case
from bukva.tasks.glyph.charset import DISTINCT_FORM, LETTERS

ROW = {
    "symbol": "Ґ",
    "label": "ґ",
    "case": "upper",
    "confidence": 0.9,
    "case_confidence": 0.8,
    "is_symbol": True,
    "symbol_confidence": 0.95,
    "alternatives": [{"symbol": "Ґ", "probability": 0.9}, {"symbol": "Г", "probability": 0.1}],
}
NO_SYMBOL = {
    **ROW,
    **dict.fromkeys(["symbol", "label", "case", "confidence", "case_confidence"]),
    "is_symbol": False,
    "symbol_confidence": 0.02,
}


def test_only_so_many_alternatives_are_told():
    assert [each.symbol for each in Recognition(**ROW).best(1).alternatives] == ["Ґ"]
    assert Recognition(**ROW).best(5) == Recognition(**ROW)


def test_what_shows_no_symbol_has_none_but_alternatives():
    recognition = Recognition(**NO_SYMBOL)
    assert (recognition.symbol, recognition.label, recognition.case) == (None, None, None)
    assert [alternative.symbol for alternative in recognition.alternatives] == ["Ґ", "Г"]


@pytest.mark.parametrize("name", ["symbol", "label", "confidence"])
def test_a_symbol_is_named_where_there_is_one_and_only_there(name):
    with pytest.raises(ValidationError, match=name):
        Recognition(**{**NO_SYMBOL, name: ROW[name]})
    with pytest.raises(ValidationError, match=name):
        Recognition(**{**ROW, name: None})


@pytest.mark.parametrize(
    "change",
    [
        {"symbol": None},
        {"case": "title"},
        {"confidence": math.nan},
        {"confidence": math.inf},
        {"confidence": 1.1},
        {"confidence": -0.1},
        {"confidence": None},
        {"symbol_confidence": None},
        {"is_symbol": None},
        {"alternatives": None},
        {"alternatives": [{"symbol": "Ґ", "probability": math.nan}]},
        {"alternatives": [{"symbol": "Ґ"}]},
        {"is_out_of_distribution": False},
    ],
    ids=str,
)
def test_what_cannot_be_is_named(change):
    with pytest.raises(ValidationError, match=next(iter(change))):
        Recognition(**{**ROW, **change})


def recognition(*alternatives, is_symbol=True):
    symbol = alternatives[0][0]
    is_letter = symbol.isalpha()
    named = {
        "symbol": symbol,
        "label": symbol.lower(),
        "case": ("upper" if symbol.isupper() else "lower") if is_letter else None,
        "confidence": alternatives[0][1],
        "case_confidence": 0.8 if is_letter else None,
    }
    return Recognition(
        **(named if is_symbol else dict.fromkeys(named)),
        is_symbol=is_symbol,
        symbol_confidence=0.99,
        alternatives=[{"symbol": name, "probability": share} for name, share in alternatives],
    )


def test_a_digit_is_read_where_one_is_meant():
    found = recognition(("О", 0.5), ("0", 0.3), ("о", 0.1), ("6", 0.1)).expect("digit")
    assert (found.symbol, found.label, found.case, found.case_confidence) == ("0", "0", None, None)
    assert found.confidence == pytest.approx(0.75)
    assert [each.symbol for each in found.alternatives] == ["0", "6"]
    assert sum(each.probability for each in found.alternatives) == pytest.approx(1)


def test_a_letter_is_read_where_one_is_meant_its_cases_together():
    found = recognition(("3", 0.5), ("е", 0.2), ("З", 0.24), ("з", 0.06)).expect("letter")
    assert (found.symbol, found.label, found.case) == ("З", "з", "upper")
    assert found.confidence == pytest.approx(0.6)
    assert found.case_confidence == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("digit", "letter", "case"), [("0", "о", "either"), ("3", "з", "either"), ("6", "б", "upper")]
)
def test_a_letter_that_is_read_anew_has_the_case_that_the_recogniser_would_give_it(
    digit, letter, case
):
    """The case confidence is 0.6: too little where both cases share one form."""
    found = recognition((digit, 0.5), (letter.upper(), 0.3), (letter, 0.2)).expect("letter")
    assert (found.symbol, found.case) == (letter.upper(), case)
    assert found.case_confidence == pytest.approx(0.6)


def test_what_is_of_the_kind_keeps_its_case():
    found = recognition(("О", 0.6), ("0", 0.4)).expect("letter")
    assert (found.symbol, found.case_confidence, found.confidence) == ("О", 0.8, 1.0)


@pytest.mark.parametrize(
    "known",
    [recognition(("Ж", 0.9), ("ж", 0.1)), recognition(("0", 0.9), ("О", 0.1), is_symbol=False)],
)
def test_what_cannot_be_of_the_kind_stays(known):
    assert known.expect("digit") == known


def test_either_is_said_of_letters_whose_cases_share_a_form():
    doubtful = EITHER_BELOW - 0.01
    unsure = {label for label in LETTERS if name_case(label, is_upper=True, confidence=doubtful)
              == "either"}  # fmt: skip
    assert unsure == set(LETTERS) - DISTINCT_FORM
    assert name_case("о", is_upper=False, confidence=EITHER_BELOW) == "lower"
    assert name_case("0", is_upper=False, confidence=doubtful) is None
