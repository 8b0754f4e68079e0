"""Simulated pens: dyes darken, chalk covers, and any drawn pen can be seen."""

import numpy as np
import pytest

from bukva.core.imaging.papers import draw_sheet_style
from bukva.core.imaging.pens import (
    PenStyle,
    change_width,
    draw_pen_style,
    enlarge_frame,
    write_ink,
)

RED = PenStyle((0.8, 0.1, 0.1), 1.0, covers=False, thicker=0, uneven=0, grain=0)


@pytest.fixture
def bar() -> np.ndarray:
    ink_HW = np.zeros((60, 80), dtype=np.float32)
    ink_HW[20:30, 10:70] = 1
    return ink_HW


def write(ink_HW: np.ndarray, ground: float, pen: PenStyle) -> np.ndarray:
    picture_CHW = np.full((3, *ink_HW.shape), ground, dtype=np.float32)
    write_ink(picture_CHW, ink_HW, pen, np.random.default_rng(0))
    return picture_CHW


def test_a_dye_darkens_what_is_below_it(bar: np.ndarray) -> None:
    picture_CHW = write(bar, 0.5, RED)

    np.testing.assert_allclose(picture_CHW[:, 25, 40], [0.4, 0.05, 0.05], atol=1e-5)
    np.testing.assert_allclose(picture_CHW[:, 5, 5], 0.5)


def test_chalk_covers_a_dark_board(bar: np.ndarray) -> None:
    picture_CHW = write(bar, 0.15, RED._replace(colour=(0.9, 0.9, 0.9), covers=True))

    np.testing.assert_allclose(picture_CHW[:, 25, 40], 0.9, atol=1e-5)
    assert picture_CHW[:, 5, 5].max() == pytest.approx(0.15)


def test_uneven_ink_varies_along_the_line(bar: np.ndarray) -> None:
    even, uneven, grainy = (
        write(bar, 0.9, pen)[1, 20:30, 10:70].std()
        for pen in (RED, RED._replace(uneven=0.2, strength=0.7), RED._replace(grain=0.3))
    )

    assert even < 1e-5
    assert uneven > 0.02
    assert grainy > 0.02


@pytest.mark.parametrize(("change_px", "height"), [(0.3, 10), (3, 16), (-2, 6)])
def test_lines_become_thicker_and_thinner(bar: np.ndarray, change_px: float, height: int) -> None:
    changed_HW = change_width(bar, change_px)

    assert (changed_HW[:, 40] > 0.5).sum() == height


def test_a_thin_line_is_not_taken_away(bar: np.ndarray) -> None:
    np.testing.assert_array_equal(change_width(bar, -5), bar)


def test_drawn_pens_can_be_seen_on_their_sheet() -> None:
    rng = np.random.default_rng(2)
    for _ in range(300):
        sheet = draw_sheet_style(rng)
        pen = draw_pen_style(rng, sheet)
        if sheet.is_board:
            assert pen.covers
            assert min(pen.colour) > max(sheet.colour)
        else:
            change = max(
                ground * (1 - ink) for ink, ground in zip(pen.colour, sheet.colour, strict=True)
            )
            assert pen.strength * change >= 0.22


def test_a_frame_is_cut_out_and_enlarged() -> None:
    frame_HW = np.zeros((40, 40), dtype=np.uint8)
    frame_HW[10:30, 15:20] = 255

    ink_HW = enlarge_frame(frame_HW, 110, np.random.default_rng(0))

    assert ink_HW.shape == (110, 35)
    assert ink_HW.min() == 0
    assert ink_HW.max() == 1
    assert (ink_HW > 0.5).any(axis=1).sum() == pytest.approx(100, abs=6)
