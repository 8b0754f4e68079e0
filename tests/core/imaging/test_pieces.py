"""Which pieces of ink are the symbol's."""

import numpy as np
import pytest

from bukva.core.imaging.pieces import choose_pieces
from bukva.errors import EmptyImageError, SeveralSymbolsError

LEAST_LEVELS = 12.0


def ink(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    """Levels with full ink in boxes of top, left, bottom, right."""
    ink_HW = np.zeros((200, 200), dtype=np.float32)
    for top, left, bottom, right in boxes:
        ink_HW[top:bottom, left:right] = 150
    return ink_HW


STEM = (80, 90, 160, 110)


def test_dots_above_belong_to_a_stem_and_specks_do_not() -> None:
    dots = [(50, 80, 62, 92), (50, 108, 62, 120)]
    found = choose_pieces(ink(STEM, *dots, (170, 20, 172, 22)), LEAST_LEVELS)
    assert found.box == (slice(50, 160), slice(80, 120))
    assert found.is_own_hw.sum() == 80 * 20 + 2 * 12 * 12


def test_a_neighbour_at_the_edge_does_not() -> None:
    found = choose_pieces(ink(STEM, (60, 180, 150, 200), (60, 172, 70, 190)), LEAST_LEVELS)
    assert found.box == (slice(80, 160), slice(90, 110))


def test_a_symbol_that_goes_up_to_the_edge_is_one_if_it_is_alone() -> None:
    found = choose_pieces(ink((0, 60, 150, 90)), LEAST_LEVELS)
    assert found.box == (slice(0, 150), slice(60, 90))


def test_a_strong_pixel_sets_no_scale() -> None:
    ink_HW = ink(STEM) * 0.2
    ink_HW[20, 20] = 250
    found = choose_pieces(ink_HW, LEAST_LEVELS)
    assert found.box == (slice(80, 160), slice(90, 110))


def test_another_of_its_size_is_refused() -> None:
    with pytest.raises(SeveralSymbolsError, match="several"):
        choose_pieces(ink((60, 30, 140, 60), (60, 130, 140, 160)), LEAST_LEVELS)


@pytest.mark.parametrize("levels", [0.0, 8.0])
def test_no_ink_is_empty(levels: float) -> None:
    with pytest.raises(EmptyImageError, match="the image is empty"):
        choose_pieces(np.full((200, 200), levels, dtype=np.float32), LEAST_LEVELS)
