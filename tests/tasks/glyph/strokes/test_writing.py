from dataclasses import replace

import cv2
import numpy as np
import pytest

from bukva.errors import CharsetError
from bukva.tasks.glyph.charset import LETTERS, SYMBOLS
from bukva.tasks.glyph.strokes.alphabet import Form, load_alphabet
from bukva.tasks.glyph.strokes.writing import (
    FINGER,
    INSTRUMENTS,
    SIDE_PX,
    Hand,
    draw_form,
    draw_hand,
    draw_outline,
    draw_symbol,
    keep_joints,
)

SAME_FORM = [letter for letter in LETTERS if letter not in "абвдегтіїру" and letter != "ф"]
CORNERS = [[0.0, 0.0], [100.0, 0.0], [100.0, 100.0], [0.0, 100.0]]


def ink_rows(page):
    return np.flatnonzero((page < 200).any(axis=1))


def forms_of(symbol):
    return {form.name: form for form in load_alphabet().forms[symbol]}


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_every_page_is_white_with_dark_ink_inside_its_margins(symbol):
    rng = np.random.default_rng(1)
    for _ in range(6):
        page = draw_symbol(symbol, rng)
        assert page.shape == (SIDE_PX, SIDE_PX)
        assert page.dtype == np.uint8
        assert page.min() < 180
        assert (page[[0, 1, -2, -1]] == 255).all()
        assert (page[:, [0, 1, -2, -1]] == 255).all()


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_a_hand_far_too_large_still_fits_the_page(instrument):
    hand = Hand(instrument, cap_height_px=140.0, slant=0.5, pen_width_px=6.0, offset_px=30.0)
    page = draw_form(forms_of("Щ")["cursive"], hand, np.random.default_rng(0))
    assert (page[[0, -1]] == 255).all()
    assert (page[:, [0, -1]] == 255).all()


@pytest.mark.parametrize("letter", SAME_FORM)
def test_the_same_hand_writes_capitals_higher(letter):
    rng = np.random.default_rng(2)
    heights = {letter: [], letter.upper(): []}
    for _ in range(12):
        hand = draw_hand(rng)
        for symbol, of_symbol in heights.items():
            form = load_alphabet().forms[symbol][0]
            of_symbol.append(hand.baseline_px - ink_rows(draw_form(form, hand, rng)).min())
    assert np.mean(heights[letter.upper()]) > 1.25 * np.mean(heights[letter])


def test_canonical_forms_stand_on_the_ruled_line():
    hand = Hand()
    for symbol in "АНПиш":
        page = draw_form(forms_of(symbol)["block"], hand, np.random.default_rng(0))
        bottom = ink_rows(page).max()
        assert abs(bottom - hand.baseline_px) <= hand.pen_width_px


def test_the_canonical_hand_leaves_nothing_to_chance():
    form = forms_of("Ж")["cursive"]
    pages = [draw_form(form, Hand(), np.random.default_rng(seed)) for seed in (0, 1)]
    np.testing.assert_array_equal(*pages)


@pytest.mark.parametrize(
    "change",
    [
        {"slant": 0.4},
        {"aspect": 1.3},
        {"rotation_rad": 0.15},
        {"pen_width_px": 5.0},
        {"grey": 90.0},
        {"jitter_em": 3.0},
        {"stroke_shift_em": 3.0},
        {"end_error_em": 4.0},
        {"rounding_em": 6.0},
        {"tremor_em": 2.0},
        {"chord_em": 14.0},
        {"break_rate": 1.0},
        {"cap_height_px": 40.0},
        {"baseline_px": 70.0},
        {"offset_px": 5.0},
        *({"instrument": instrument} for instrument in INSTRUMENTS if instrument.pressure),
    ],
)
def test_every_trait_of_a_hand_changes_the_page(change):
    form = forms_of("В")["cursive"]
    plain = draw_form(form, Hand(), np.random.default_rng(0))
    changed = draw_form(form, replace(Hand(), **change), np.random.default_rng(0))
    assert (plain != changed).sum() > 20


def test_near_strokes_are_joined_and_far_ones_are_not():
    def page(symbol, name, join_rate):
        hand = Hand(join_rate=join_rate)
        return draw_form(forms_of(symbol)[name], hand, np.random.default_rng(0))

    # The bowl of у ends below the start of its stem; the legs of П are a letter apart.
    assert (page("у", "hooked", 0.0) != page("у", "hooked", 1.0)).sum() > 10
    for symbol, name in (("П", "three_strokes"), ("Ш", "block"), ("ї", "dashes")):
        np.testing.assert_array_equal(page(symbol, name, 0.0), page(symbol, name, 1.0))


def test_lower_scale_is_for_lower_case_alone():
    def page(symbol, scale):
        hand = Hand(lower_scale=scale)
        return draw_form(forms_of(symbol)["block"], hand, np.random.default_rng(0))

    assert len(ink_rows(page("к", 1.2))) > len(ink_rows(page("к", 1.0)))
    np.testing.assert_array_equal(page("К", 1.2), page("К", 1.0))


@pytest.mark.parametrize("symbol", ["ы", "W", "", "аб"])
def test_what_is_no_symbol_cannot_be_drawn(symbol):
    with pytest.raises(CharsetError, match="one of the 76 symbols"):
        draw_symbol(symbol, np.random.default_rng(0))


def test_a_wider_pen_leaves_more_ink():
    pages = [
        draw_form(forms_of("О")["block"], Hand(pen_width_px=width), np.random.default_rng(0))
        for width in (2.0, 4.0)
    ]
    thin, thick = ((255.0 - page).sum() for page in pages)
    assert thick / thin == pytest.approx(2.0, rel=0.08)


def test_ink_of_a_straight_line_is_length_times_width():
    page = draw_form(forms_of("1")["plain"], Hand(pen_width_px=3.0), np.random.default_rng(0))
    # The line of 56 px ends in two half discs, and ink is full black on white.
    assert (255.0 - page).sum() / 255 == pytest.approx(56 * 3 + np.pi * 1.5**2, rel=0.05)


def test_strokes_that_were_cut_where_they_meet_stay_joined():
    cross = Form("Х", "cross", tuple(np.array([[50.0, 50.0], end]) for end in CORNERS))
    for seed in range(8):
        rng = np.random.default_rng(seed)
        hand = replace(keep_joints(draw_hand(rng)), pen_width_px=2.0, instrument=FINGER)
        page = draw_form(cross, hand, rng)
        assert cv2.connectedComponents((page < 200).astype(np.uint8))[0] == 2


def test_outlines_are_filled_where_strokes_would_stand():
    corners = np.array(CORNERS)
    rng = np.random.default_rng(0)
    page = draw_outline(Form("О", "square", (corners,)), Hand(grey=40.0), rng)
    rows = ink_rows(page)
    assert page.min() == 40
    assert rows[-1] == pytest.approx(Hand().baseline_px, abs=1.5)
    assert np.ptp(rows) == pytest.approx(Hand().cap_height_px, abs=2)
