"""What is written between the lines of the page is read in its case."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from notebook_lines import CAPITAL, GROUND, SMALL

from bukva.tasks.glyph.charset import LETTERS
from bukva.tasks.glyph.preprocessing import preprocess
from bukva.tasks.glyph.recogniser import Recogniser
from bukva.tasks.glyph.strokes.alphabet import load_alphabet
from bukva.tasks.glyph.strokes.writing import SIDE_PX, Hand, draw_form, draw_hand

HANDS = 8
TAKEN_FOR_THE_OTHER = 0.03


def between_lines(rng: np.random.Generator) -> Hand:
    """A hand that writes between the lines, as well as hands do."""
    capital, small, ground = (
        SIDE_PX * (line + rng.normal(0, 0.01)) for line in (CAPITAL, SMALL, GROUND)
    )
    frame = load_alphabet().frame
    x_height = (frame.x_height - frame.baseline) / (frame.cap_height - frame.baseline)
    return replace(
        draw_hand(rng),
        cap_height_px=ground - capital,
        lower_scale=(ground - small) / (ground - capital) / x_height,
        baseline_px=ground,
    )


@pytest.mark.parametrize("case", ["lower", "upper"])
def test_letters_between_the_lines_are_read_in_their_case(
    case: str, recogniser: Recogniser
) -> None:
    rng = np.random.default_rng(1)
    symbols = np.repeat([getattr(letter, case)() for letter in LETTERS], HANDS)
    forms = [load_alphabet().forms[symbol][0] for symbol in symbols]
    pages = [draw_form(form, between_lines(rng), rng) for form in forms]
    answers = recogniser.answer([preprocess(page) for page in pages])
    read = np.array([best[0]["symbol"] for best in answers["alternatives"]])
    is_other = (read != symbols) & (np.char.lower(read) == np.char.lower(symbols))
    mistaken = pd.Series(symbols[is_other]).value_counts()
    assert is_other.mean() <= TAKEN_FOR_THE_OTHER, mistaken.to_dict()
