"""Characters and indices, and the one rule by which texts are compared."""

import pytest

from bukva.core.alphabets import UKRAINIAN as LETTERS
from bukva.errors import CharsetError
from bukva.tasks.line.charset import (
    BLANK,
    FRENCH,
    UKRAINIAN,
    UNION,
    Charset,
    least_timesteps,
    normalise,
)


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("об\u2019єкт", "об'єкт"),
        ("об\u02bcєкт", "об'єкт"),
        ("  a\u00a0\u2009 b\t", "a b"),
        ("\u0438\u0306", "й"),
        ("\u201eтак\u201c — ні…", '"так" - ні...'),
        ("«oui»", "«oui»"),
        ("\u00a0", ""),
    ],
)
def test_what_a_hand_writes_alike_is_written_alike(written: str, same: str) -> None:
    assert normalise(written) == same
    assert normalise(same) == same


def test_texts_go_to_indices_and_back() -> None:
    text = "Її ґанок, 12 об'єктів: «так» № 5"
    indices = UKRAINIAN.encode(text)
    assert BLANK not in indices
    assert UKRAINIAN.decode([BLANK, *indices, BLANK]) == text
    assert max(UNION.encode(UNION.characters)) == len(UNION) - 1


def test_each_language_has_its_letters() -> None:
    assert not UKRAINIAN.find_unknown([LETTERS, LETTERS.upper()])
    assert not FRENCH.find_unknown(["Où êtes-vous, Cœur naïf ? ÇA"])
    assert not UNION.find_unknown([UKRAINIAN.characters, FRENCH.characters])
    assert UKRAINIAN.find_unknown(["ыaы"]) == {"ы": 2, "a": 1}


def test_characters_outside_are_named() -> None:
    with pytest.raises(CharsetError, match=r"'ы', 'ё'"):
        UKRAINIAN.encode("ыё")
    with pytest.raises(CharsetError, match="again"):
        Charset("aba")
    with pytest.raises(CharsetError, match="indices"):
        Charset("ab").decode([3])


def test_further_characters_come_behind() -> None:
    larger = FRENCH.extend("Ĉa")
    assert larger.characters.startswith(FRENCH.characters)
    assert len(larger) == len(FRENCH) + 1


def test_a_repeated_character_needs_a_blank() -> None:
    assert least_timesteps(FRENCH.encode("elle")) == 5
    assert least_timesteps([]) == 0
