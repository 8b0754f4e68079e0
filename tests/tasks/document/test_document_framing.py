"""Pieces of a picture: found, cut where they are too long, and framed."""

import cv2
import numpy as np
import pytest

from bukva.core.imaging.text_ink import read_text_ink
from bukva.tasks.document.framing import (
    Frame,
    find_pieces,
    find_slope,
    frame_piece,
    level_lines,
)

FRAME = Frame()


def write(page_HW: np.ndarray, text: str, left: int, baseline: int, scale: float = 1.0) -> None:
    cv2.putText(
        page_HW, text, (left, baseline), cv2.FONT_HERSHEY_SIMPLEX, scale, 30, 2, cv2.LINE_AA
    )


def blank(height: int, width: int) -> np.ndarray:
    return np.full((height, width), 230, np.uint8)


def test_lines_come_from_the_top_down() -> None:
    page_HW = blank(400, 600)
    for place in range(5):
        write(page_HW, f"line {place} of some text", 40, 60 + 70 * place)
    pieces = find_pieces(read_text_ink(page_HW), FRAME)
    assert sorted({piece.line for piece in pieces}) == [0, 1, 2, 3, 4]
    tops = [piece.top for piece in pieces]
    assert tops == sorted(tops)
    assert min(piece.left for piece in pieces) == pytest.approx(42, abs=8)


def test_lines_whose_strokes_touch_are_parted() -> None:
    page_HW = blank(300, 600)
    for place in range(4):
        write(page_HW, "fghjpqy dfjkl pqgy", 30, 70 + 44 * place, 1.3)
    cv2.line(page_HW, (300, 40), (304, 220), 30, 3)  # a stroke through all of them
    assert len({piece.line for piece in find_pieces(read_text_ink(page_HW), FRAME)}) == 4


def test_what_is_far_apart_on_a_line_is_two_pieces() -> None:
    page_HW = blank(80, 900)
    write(page_HW, "Name", 20, 50)
    write(page_HW, "Olena", 500, 50)
    first, second = find_pieces(read_text_ink(page_HW), FRAME)
    assert first.line == second.line
    assert first.right < 400 < second.left


def test_a_long_line_is_cut_so_that_no_part_is_shrunk() -> None:
    page_HW = blank(60, 1500)
    write(page_HW, "a line that is much longer than what is seen at once, all in one", 10, 42, 1.2)
    pieces = find_pieces(read_text_ink(page_HW), FRAME)
    assert len(pieces) > 2
    for piece in pieces:
        assert piece.right - piece.left <= 1.2 * FRAME.width / FRAME.height * 60


def test_rules_of_a_form_are_no_lines() -> None:
    page_HW = blank(300, 800)
    for top in (40, 140, 240):
        cv2.line(page_HW, (0, top), (799, top), 60, 2)
    write(page_HW, "entry", 100, 110)
    [piece] = find_pieces(read_text_ink(page_HW), FRAME)
    assert 60 < piece.top < piece.bottom < 130


@pytest.mark.parametrize("size", [(12, 60), (64, 400), (200, 1200)])
def test_a_piece_fills_the_height_of_the_frame(size: tuple[int, int]) -> None:
    ink_hw = np.zeros(size, np.float32)
    ink_hw[2:-2, 3:-3] = np.random.default_rng(1).random((size[0] - 4, size[1] - 6)) > 0.5
    framed_HW = frame_piece(ink_hw, FRAME)
    assert framed_HW.shape == (FRAME.height, FRAME.width)
    rows = np.flatnonzero(framed_HW.any(axis=1))
    assert 0.8 * FRAME.height <= np.ptp(rows) + 1 <= FRAME.height


def test_what_holds_no_ink_is_framed_empty() -> None:
    assert not frame_piece(np.zeros((20, 90), np.float32), FRAME).any()


@pytest.mark.parametrize("turn_deg", [-3.0, -1.0, 0.0, 2.0, 4.0])
def test_lines_of_a_page_that_lies_aslant_are_found(turn_deg: float) -> None:
    page_HW = blank(500, 900)
    for place in range(6):
        write(page_HW, f"line {place} of a page that was laid down", 100, 110 + 60 * place)
    turn = cv2.getRotationMatrix2D((450, 250), turn_deg, 1.0)
    turned_HW = np.asarray(cv2.warpAffine(page_HW, turn, (900, 500), borderValue=230))
    ink_HW = read_text_ink(turned_HW)
    slope = find_slope(ink_HW)
    assert slope == pytest.approx(-np.tan(np.radians(turn_deg)), abs=0.008)
    pieces = find_pieces(level_lines(ink_HW, slope), FRAME)
    assert len({piece.line for piece in pieces}) == 6
