import json

import numpy as np
import pytest

from bukva.errors import CorpusError
from bukva.tasks.glyph.charset import SYMBOLS
from bukva.tasks.glyph.strokes.alphabet import load_alphabet, parse_alphabet

WRITTEN_IN_TWO_WAYS = "абвгдежзийклмнпртуфцшщюя"


def alphabet_text(strokes: object = ("0,0 5,5",), **others: object) -> str:
    """An alphabet whose symbols all have one slanted line, but for А."""
    frame = {"left": 0, "right": 9, "bottom": -9, "baseline": 0, "x_height": 5, "cap_height": 10}
    symbols = {symbol: {"block": ["0,0 5,5"]} for symbol in SYMBOLS}
    symbols = symbols | {"А": {"block": strokes}} | others
    return json.dumps({"frame": frame | {"top": 12}, "symbols": symbols})


def test_every_symbol_has_forms_with_names_of_their_own():
    forms = load_alphabet().forms
    assert "".join(forms) == SYMBOLS
    for symbol in SYMBOLS:
        names = [form.name for form in forms[symbol]]
        assert len(names) == len(set(names)) >= 1


@pytest.mark.parametrize("label", [*WRITTEN_IN_TWO_WAYS, *"ДТЖАМЛЗУБВГЄЮЯР", *"0123456789"])
def test_what_people_write_in_two_ways_has_two_forms(label):
    assert len(load_alphabet().forms[label]) >= 2


def test_no_two_forms_of_a_symbol_are_the_same():
    for forms in load_alphabet().forms.values():
        drawings = {np.concatenate(form.strokes).tobytes() for form in forms}
        assert len(drawings) == len(forms)


def test_curves_are_finite_and_stay_near_the_frame():
    alphabet = load_alphabet()
    frame = alphabet.frame
    points = np.concatenate(
        [np.concatenate(form.strokes) for forms in alphabet.forms.values() for form in forms]
    )
    assert np.isfinite(points).all()
    # A curve may swing a little beyond the points that it goes through.
    assert (points >= [frame.left - 4, frame.bottom - 4]).all()
    assert (points <= [frame.right + 4, frame.top + 4]).all()


@pytest.mark.parametrize("symbol", [symbol for symbol in SYMBOLS if symbol.isupper()])
def test_capitals_reach_their_height(symbol):
    for form in load_alphabet().forms[symbol]:
        heights = np.concatenate(form.strokes)[:, 1]
        assert 92 <= heights.max() <= 126
        assert -36 <= heights.min() <= 4


@pytest.mark.parametrize("symbol", "агежзиклмнопрстухцчшщьюя")
def test_small_letters_stay_below_capitals(symbol):
    for form in load_alphabet().forms[symbol]:
        assert np.concatenate(form.strokes)[:, 1].max() <= 74


@pytest.mark.parametrize(("symbol", "parts"), [("і", 2), ("І", 1), ("ї", 3), ("Ї", 3), ("й", 2)])
def test_dots_and_breve_are_strokes_of_their_own(symbol, parts):
    block = next(form for form in load_alphabet().forms[symbol] if form.name == "block")
    assert len(block.strokes) == parts


@pytest.mark.parametrize("symbol", "рудцщ")
def test_some_form_goes_below_the_line(symbol):
    lowest = min(np.concatenate(f.strokes)[:, 1].min() for f in load_alphabet().forms[symbol])
    assert lowest < -15


def test_a_form_named_by_a_small_letter_is_brought_to_x_height():
    alphabet = parse_alphabet(alphabet_text(["0,0 5,10"], а={"small": "А.block"}))
    (form,) = alphabet.forms["а"]
    np.testing.assert_allclose(form.strokes[0][[0, -1]], [[0, 0], [2.5, 5]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "Expected JSON"),
        ("{}", "Expected JSON with 'frame' and 'symbols'"),
        (json.dumps({"frame": {}, "symbols": {}}), "Expected JSON with 'frame'"),
        (alphabet_text(Ы={"block": ["0,0 1,1"]}), "missing or unknown: .'Ы'"),
        (alphabet_text(Б={}), "at least one form of 'Б'"),
        (alphabet_text([]), "Expected strokes.* at 'А.block'"),
        (alphabet_text("Ж.cursive"), "Expected strokes.* at 'А.block', got 'Ж.cursive'"),
        (alphabet_text(["0,0 5"]), r"points 'x,y' at А.block\[0\]"),
        (alphabet_text(["0,0 x,1"]), r"points 'x,y' at А.block\[0\]"),
        (alphabet_text(["0,0"]), "two or more distinct points"),
        (alphabet_text(["0,0 3,3 3,3"]), "two or more distinct points"),
        (alphabet_text(["0,0 5,13"]), "Expected points in .* at А.block"),
        (alphabet_text(["0,0 nan,1"]), "Expected points in .* at А.block"),
        (alphabet_text(["0,0 1,inf"]), "Expected points in .* at А.block"),
    ],
)
def test_a_broken_alphabet_is_refused_by_name(text, message):
    with pytest.raises(CorpusError, match=message):
        parse_alphabet(text)
