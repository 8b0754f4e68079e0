"""Lines set in characters of a corpus: what can be said, and how letters stand."""

import numpy as np
import pytest
from line_corpora import small_corpora

from bukva.tasks.line.character_lines import extent_px, set_in_characters
from bukva.tasks.line.characters import CharacterIndex, collect_characters
from bukva.tasks.line.parameters import DataParameters


@pytest.fixture(scope="module")
def characters() -> CharacterIndex:
    index = collect_characters(small_corpora(), DataParameters()).of_split("train")
    assert index is not None
    return index


def test_words_with_missing_letters_are_left_out(characters: CharacterIndex) -> None:
    rng = np.random.default_rng(1)
    _, said, corpus = set_in_characters("мама, їде до хати!", characters, (0.0, 0.0), rng)
    assert (said, corpus) == ("мама до хати", "emnist")
    assert set_in_characters("Mère", characters, (0.0, 0.0), rng)[1] == ""


def test_accents_of_latin_letters_are_taken_off() -> None:
    letters = {symbol: np.array([0]) for symbol in "mereia"}
    index = CharacterIndex({"emnist": letters}, np.full((1, 28, 28), 255, dtype=np.uint8))
    rng = np.random.default_rng(1)
    assert set_in_characters("ma mère à", index, (0.0, 0.0), rng)[1] == "ma mere a"
    # й is no accented и: it is another letter.
    cyrillic = CharacterIndex({"x": {"и": np.array([0])}}, index.images_NSS)
    assert set_in_characters("ий", cyrillic, (0.0, 0.0), rng)[1] == ""


def test_overlapping_makes_a_line_shorter(characters: CharacterIndex) -> None:
    widths = [
        set_in_characters("мама мила раму", characters, (share, share), np.random.default_rng(2))[0]
        .shape[1]
        for share in (0.0, 0.3)
    ]  # fmt: skip
    assert widths[1] < 0.9 * widths[0]


def test_small_letters_are_lower_than_capitals_and_some_have_tails() -> None:
    assert extent_px("а")[0] < extent_px("А")[0] == extent_px("б")[0] == extent_px("7")[0]
    assert extent_px("р")[1] > 0 == extent_px("а")[1]
    assert extent_px("ф")[1] > 0
