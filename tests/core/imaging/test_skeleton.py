import cv2
import numpy as np
import pytest

from bukva.core.imaging.skeleton import find_strokes, thin


def shape(*strokes: list[tuple[int, int]], width: int = 9) -> np.ndarray:
    """A page with lines of a pen."""
    page = np.zeros((120, 120), dtype=np.uint8)
    for stroke in strokes:
        cv2.polylines(page, [np.array(stroke)], isClosed=False, color=1, thickness=width)
    return page > 0


def lengths(strokes: list[np.ndarray]) -> list[float]:
    return [float(np.hypot(*np.diff(stroke, axis=0).T).sum()) for stroke in strokes]


def redraw(strokes: list[np.ndarray], width: int) -> np.ndarray:
    return shape(*[np.rint(stroke).astype(int).tolist() for stroke in strokes], width=width)


def test_a_line_has_one_stroke_along_its_middle() -> None:
    [stroke] = find_strokes(shape([(20, 50), (100, 50)]))
    assert np.abs(stroke[:, 1] - 50).max() <= 1
    assert np.ptp(stroke[:, 0]) == pytest.approx(80, abs=6)


def test_lines_are_cut_where_they_meet() -> None:
    strokes = find_strokes(shape([(20, 60), (100, 60)], [(60, 60), (60, 20)]))
    assert len(strokes) == 3
    ends = np.concatenate([stroke[[0, -1]] for stroke in strokes])
    assert (np.hypot(*(ends - [60, 60]).T) < 6).sum() == 3


def test_a_ring_is_one_closed_stroke() -> None:
    page = np.zeros((120, 120), dtype=np.uint8)
    cv2.circle(page, (60, 60), 30, 1, 7)
    [stroke] = find_strokes(page > 0)
    assert (stroke[0] == stroke[-1]).all()
    assert np.abs(np.hypot(*(stroke - 60).T) - 30).max() < 2


@pytest.mark.parametrize("radius", [0, 1, 4, 8])
def test_a_dot_gives_a_short_stroke_at_its_place(radius: int) -> None:
    page = np.zeros((40, 60), dtype=np.uint8)
    cv2.circle(page, (41, 13), radius, 1, -1)
    [stroke] = find_strokes(page > 0)
    assert 0 < lengths([stroke])[0] <= 2 * radius + 1
    np.testing.assert_allclose(stroke.mean(axis=0), [41, 13], atol=2)


@pytest.mark.parametrize("side", [1, 2, 3, 5])
def test_no_part_of_a_shape_is_lost(side: int) -> None:
    # Zhang and Suen's method takes squares of two pixels away.
    page = np.zeros((30, 30), dtype=np.uint8)
    page[4 : 4 + side, 4 : 4 + side] = 1
    page[20:23, 3:28] = 1
    assert cv2.connectedComponents(thin(page))[0] == 3


def test_a_pen_along_the_strokes_draws_the_shape_again() -> None:
    page = shape([(20, 100), (60, 15), (100, 100)], [(35, 70), (85, 70)])
    again = redraw(find_strokes(page), width=9)
    assert (page & again).sum() / (page | again).sum() > 0.85


def test_a_blank_shape_has_no_strokes() -> None:
    assert find_strokes(np.zeros((9, 9), dtype=bool)) == []
