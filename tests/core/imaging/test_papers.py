"""Simulated paper: rules are periodic, boards dark, desks beyond the sheet."""

import numpy as np
import pytest

from bukva.core.imaging.papers import (
    Rules,
    SheetStyle,
    draw_desk_style,
    draw_sheet,
    draw_sheet_style,
)

SHAPE = (200, 240)
SYMBOL_PX = 100
LINES = Rules(0.2, 0.5, 0.02, 0.0, (0.3, 0.4, 0.8), 0.8)
PLAIN = SheetStyle((0.9, 0.9, 0.85), False, (), keystone=0, bend=0, grain=0, clouds=0)


def draw(style: SheetStyle) -> np.ndarray:
    return draw_sheet(style, SHAPE, SYMBOL_PX, np.random.default_rng(0))


def pitch_px(profile: np.ndarray) -> float:
    """The period of what is repeated along a profile."""
    spectrum = np.abs(np.fft.rfft(profile - profile.mean()))
    return len(profile) / (1 + int(spectrum[1:].argmax()))


def test_a_plain_sheet_has_one_colour() -> None:
    sheet_CHW = draw(PLAIN)

    assert sheet_CHW.shape == (3, *SHAPE)
    np.testing.assert_allclose(sheet_CHW.reshape(3, -1).std(axis=1), 0, atol=1e-6)
    np.testing.assert_allclose(sheet_CHW[:, 0, 0], PLAIN.colour, rtol=1e-6)


def test_lines_are_periodic_across_only() -> None:
    red_HW = draw(PLAIN._replace(rules=(LINES,)))[0]

    assert pitch_px(red_HW.mean(axis=1)) == pytest.approx(20, abs=1)
    assert red_HW.mean(axis=0).std() < 1e-5
    assert red_HW.min() == pytest.approx(0.9 + 0.8 * (0.3 - 0.9), abs=0.01)


def test_squares_are_periodic_both_ways() -> None:
    upright = LINES._replace(turn_deg=90)

    red_HW = draw(PLAIN._replace(rules=(LINES, upright)))[0]

    assert pitch_px(red_HW.mean(axis=1)) == pytest.approx(20, abs=1)
    assert pitch_px(red_HW.mean(axis=0)) == pytest.approx(20, abs=1)


def test_turned_lines_run_aslant() -> None:
    dark_HW = draw(PLAIN._replace(rules=(LINES._replace(turn_deg=10, pitch=5.0, phase=0),)))[0]

    first, last = (int(dark_HW[:, column].argmin()) for column in (20, 220))
    assert last - first == pytest.approx(200 * np.tan(np.radians(10)), abs=2)


def test_grain_and_clouds_make_it_uneven() -> None:
    assert draw(PLAIN._replace(grain=0.03))[0].std() == pytest.approx(0.03, rel=0.2)
    cloudy_HW = draw(PLAIN._replace(clouds=0.1))[0]
    assert cloudy_HW.std() > 0.03
    assert np.abs(np.diff(cloudy_HW, axis=0)).max() < 0.02


def test_drawn_sheets_are_of_all_kinds() -> None:
    rng = np.random.default_rng(1)
    styles = [draw_sheet_style(rng) for _ in range(400)]

    boards = [style for style in styles if style.is_board]
    assert 0.05 < len(boards) / len(styles) < 0.16
    assert all(max(style.colour) < 0.6 for style in boards)
    assert {len(style.rules) for style in styles} >= {0, 1, 2, 3, 4}
    assert all(max(style.colour) > 0.5 for style in styles if not style.is_board)


def test_drawn_desks_are_seen_on_at_least_one_side() -> None:
    rng = np.random.default_rng(1)

    for _ in range(50):
        seen = [gap for gap in draw_desk_style(rng).gaps if gap is not None]
        assert 1 <= len(seen) <= 4
        assert all(0 < gap < 1 for gap in seen)
