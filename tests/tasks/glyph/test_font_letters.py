import numpy as np
import pytest

from bukva.core.fonts import HANDWRITING_FONTS
from bukva.tasks.glyph.charset import LETTERS, SYMBOLS, to_symbol
from bukva.tasks.glyph.font_letters import (
    HELD_BACK,
    LEFT_OUT,
    draw_font_letters,
    fonts_with,
    trace_glyph,
)
from bukva.tasks.glyph.preprocessing import preprocess
from bukva.tasks.glyph.strokes.curves import fill_page
from bukva.tasks.glyph.strokes.writing import Hand, draw_form, draw_outline

BY_NAME = {font.name: font for font in HANDWRITING_FONTS}


@pytest.fixture(scope="module")
def samples():
    return list(draw_font_letters(samples_per_symbol=3, seed=7))


def height_em(name, symbol):
    lines, _ = trace_glyph(BY_NAME[name], symbol)
    return float(np.ptp(np.concatenate(lines.strokes)[:, 1]))


def test_every_symbol_comes_as_often_and_is_labelled(samples):
    symbols = [to_symbol(sample.label, sample.is_uppercase) for sample in samples]
    assert symbols == [symbol for symbol in SYMBOLS for _ in range(3)]
    assert all(sample.is_uppercase is None for sample in samples if sample.label.isdigit())
    assert all(sample.has_page for sample in samples)


def test_names_say_font_symbol_and_index_and_the_font_is_the_group(samples):
    assert len({sample.name for sample in samples}) == len(samples)
    for sample in samples:
        symbol = to_symbol(sample.label, sample.is_uppercase)
        assert sample.name.startswith(f"fonts-{sample.group}-{symbol}-000")
        assert sample.group in BY_NAME


def test_a_font_is_learnt_from_or_held_back_as_a_whole(samples):
    splits = {(sample.group, sample.split) for sample in samples}
    assert len(splits) == len({sample.group for sample in samples})
    assert {split for font, split in splits if font in HELD_BACK} <= {"valid", "test"}
    assert {split for font, split in splits if font not in HELD_BACK} == {"train"}
    assert HELD_BACK.keys() <= BY_NAME.keys()


def test_the_fonts_take_turns(samples):
    for symbol in SYMBOLS:
        drawn = [s.group for s in samples if to_symbol(s.label, s.is_uppercase) == symbol]
        assert drawn == [font.name for font in fonts_with(symbol)[:3]]


def test_every_page_shows_ink_that_can_be_read(samples):
    for sample in samples:
        assert preprocess(sample.image, has_page=True).image_HW.max() > 60


def test_no_two_pages_are_the_same(samples):
    assert len({sample.image.tobytes() for sample in samples}) == len(samples)


def test_the_same_seed_gives_the_same_bytes(samples):
    trace_glyph.cache_clear()
    again = list(draw_font_letters(samples_per_symbol=3, seed=7))
    assert [sample.name for sample in again] == [sample.name for sample in samples]
    for sample, same in zip(samples, again, strict=True):
        np.testing.assert_array_equal(sample.image, same.image)


def test_another_seed_gives_other_pages(samples):
    others = draw_font_letters(samples_per_symbol=3, seed=8)
    assert not any(
        np.array_equal(sample.image, other.image)
        for sample, other in zip(samples, others, strict=True)
    )


def test_fewer_samples_are_the_first_of_more(samples):
    more = {sample.name: sample.image for sample in samples}
    for sample in draw_font_letters(samples_per_symbol=1, seed=7):
        np.testing.assert_array_equal(sample.image, more[sample.name])


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_several_fonts_have_a_glyph_of_their_own_for_every_symbol(symbol):
    fonts = fonts_with(symbol)
    assert len(fonts) >= 8
    assert None not in {font.find_subset(symbol) for font in fonts}


def test_what_is_left_out_is_in_a_font_that_is_there():
    assert LEFT_OUT.keys() <= BY_NAME.keys()
    assert set("".join(LEFT_OUT.values())) <= set(SYMBOLS)


@pytest.mark.parametrize("letter", [letter for letter in LETTERS if letter not in "бвдґруфіїйзцщ"])
@pytest.mark.parametrize("name", ["bad-script", "caveat", "neucha", "playpen-sans"])
def test_small_letters_stay_smaller_than_capitals(name, letter):
    assert height_em(name, letter) < 0.85 * height_em(name, letter.upper())


@pytest.mark.parametrize("name", ["bad-script", "caveat", "neucha", "pacifico"])
def test_digits_are_as_high_as_capitals(name):
    # The middle line of a thick stroke ends before its ink does.
    heights = [height_em(name, digit) for digit in "2345678"]
    assert min(heights) > 75
    assert max(heights) < 102


@pytest.mark.parametrize(("symbol", "dots"), [("і", 1), ("ї", 2), ("Ї", 2)])
def test_dots_are_strokes_of_their_own(symbol, dots):
    lines, _ = trace_glyph(BY_NAME["balsamiq-sans"], symbol)
    lowest = [stroke[:, 1].min() for stroke in lines.strokes]
    assert sum(height > 60 for height in lowest) == dots


@pytest.mark.parametrize("name", BY_NAME)
@pytest.mark.parametrize("symbol", "АДЖЩ")
def test_the_lines_run_through_the_ink_of_the_outlines(name, symbol):
    lines, outlines = trace_glyph(BY_NAME[name], symbol)
    pages = [np.array([150.0, 200.0]) + stroke * [1, -1] for stroke in outlines.strokes]
    page = fill_page(pages, 300, 0.0, 0.0, np.random.default_rng(0))
    columns, rows = (np.concatenate(lines.strokes) * [1, -1] + [150, 200]).astype(int).T
    assert (page[rows, columns] < 255).all()


@pytest.mark.parametrize("is_redrawn", [True, False])
def test_pen_and_outlines_stand_at_the_same_height(is_redrawn):
    forms = trace_glyph(BY_NAME["playpen-sans"], "Щ")
    draw, form = (draw_form, forms[0]) if is_redrawn else (draw_outline, forms[1])
    rows = np.flatnonzero((draw(form, Hand(), np.random.default_rng(0)) < 128).any(axis=1))
    assert rows[0] == pytest.approx(Hand().baseline_px - Hand().cap_height_px, abs=4)
    assert rows[-1] == pytest.approx(Hand().baseline_px + 14, abs=6)
