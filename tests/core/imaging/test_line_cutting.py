"""A line is cut from its page without its neighbours, on the paper that it stands on."""

import numpy as np
import pytest

from bukva.core.arrays import UInt8Array
from bukva.core.imaging.line_cutting import cut_line


def striped_page(colour: tuple[int, ...] = ()) -> UInt8Array:
    """Three lines of ink, level, on paper of one tone."""
    page = np.full((120, 300, *((3,) if colour else ())), colour or 200, dtype=np.uint8)
    for top in (20, 55, 90):
        page[top : top + 10, 20:280] = 30
    return page


def outline(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], dtype=float)


@pytest.mark.parametrize("colour", [(), (220, 210, 180)])
def test_neighbours_are_paper(colour: tuple[int, ...]) -> None:
    slanted = np.array([(20, 34), (280, 46), (280, 84), (20, 72)], dtype=float)
    cut = cut_line(striped_page(colour), slanted)
    assert cut.shape[2:] == ((3,) if colour else ())
    ink_rows = np.flatnonzero((cut.reshape(*cut.shape[:2], -1)[..., 0] < 100).any(axis=1))
    assert 8 <= len(ink_rows) <= 12
    np.testing.assert_array_equal(cut[0, 0], colour or 200)


def test_outlines_at_the_rim_and_tiny_ones() -> None:
    page = striped_page()
    assert cut_line(page, outline(0, 0, 300, 40)).shape[1] == 300
    assert cut_line(page, outline(298, 118, 300, 120)).size > 0
    np.testing.assert_array_equal(cut_line(page, outline(0, 0, 300, 120)), page)
