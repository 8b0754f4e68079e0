"""How many symbols the page sees on its sheet, counted in a real browser."""

import numpy as np
import pytest
from browsing import run_browser, visiting
from notebook_lines import CAPITAL, GROUND

from bukva.tasks.glyph.strokes.alphabet import load_alphabet

PEN = 0.035
FORMS = {
    f"{symbol} {form.name}": form.strokes
    for symbol, forms in load_alphabet().forms.items()
    for form in forms
}
COUNT = """async (drawings) => {
  const { countSymbols } = await import("/page/symbol_count.js");
  return drawings.map(countSymbols);
}"""


@pytest.fixture(scope="module")
def count(server):
    """Count the symbols of drawings, each some strokes `(N, 2)` in shares of the sheet."""
    with run_browser() as browser, visiting(browser, []) as open_page:
        page = open_page(server.base_url)

        def count_symbols(drawings):
            return page.evaluate(COUNT, [[to_stroke(each) for each in one] for one in drawings])

        yield count_symbols


def to_stroke(points_N2):
    return {"points": [{"x": x, "y": y} for x, y in points_N2.tolist()], "width": PEN}


def place(strokes, left, height=GROUND - CAPITAL):
    """Strokes in em units as lines on the sheet, from `left` on; capitals are so high."""
    frame = load_alphabet().frame
    scale = height / (frame.cap_height - frame.baseline)
    start = np.concatenate(strokes)[:, 0].min()
    return [
        np.column_stack([
            left + scale * (stroke[:, 0] - start),
            GROUND - scale * (stroke[:, 1] - frame.baseline),
        ])
        for stroke in strokes
    ]  # fmt: skip


def right_side(strokes):
    return np.concatenate(strokes)[:, 0].max()


@pytest.mark.parametrize("height", [GROUND - CAPITAL, 0.58])
def test_every_letter_and_digit_is_one_symbol(count, height):
    counts = count([place(strokes, 0.1, height) for strokes in FORMS.values()])
    assert [name for name, found in zip(FORMS, counts, strict=True) if found != 1] == []


def test_a_letter_whose_parts_do_not_touch_is_one_symbol(count):
    stem, bowl = (
        np.array([[0.6, 0.2], [0.6, 0.76]]),
        np.array([[0.3, 0.2], [0.3, 0.76], [0.4, 0.6]]),
    )
    bar, ring = (
        np.array([[0.34, 0.5], [0.42, 0.5]]),
        np.array([[0.5, 0.2], [0.8, 0.5], [0.5, 0.76]]),
    )
    left_stem = np.array([[0.25, 0.2], [0.25, 0.76]])
    far_dots = [np.array([[x, 0.15], [x, 0.16]]) for x in (0.42, 0.78)]
    drawings = {
        "ы": [bowl, stem],
        "Ю": [left_stem, bar, ring],
        "Ю without its bar": [left_stem, ring],
        "ї with dots wide apart": [stem, *far_dots],
        "nothing": [],
    }
    assert dict(zip(drawings, count(drawings.values()), strict=True)) == {
        **dict.fromkeys(drawings, 1),
        "nothing": 0,
    }


@pytest.mark.parametrize("pair", ["АБ", "аб", "Юй", "ї5", "08", "іж"])
def test_two_symbols_side_by_side_are_two(count, pair):
    forms = load_alphabet().forms
    first, second = (forms[symbol][0].strokes for symbol in pair)
    one = place(first, 0.05, height=0.4)
    gap = 0.3 if "і" in pair or "ї" in pair else 0.12
    both = [*one, *place(second, right_side(one) + PEN + gap, height=0.4)]
    assert count([both, one]) == [2, 1]


def test_letters_in_a_row_are_counted(count):
    strokes = load_alphabet().forms["о"][0].strokes
    row = [stroke for left in (0.1, 0.4, 0.7) for stroke in place(strokes, left, height=0.3)]
    assert count([row]) == [3]
