import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bukva.tasks.glyph.strokes.curves import arc_lengths, fill_page, sample_at, trace

coordinates = st.integers(0, 100)
polylines = st.lists(st.tuples(coordinates, coordinates), min_size=2, max_size=8, unique=True)


@given(polylines, st.data())
def test_a_curve_goes_through_its_ends_in_even_steps(points, data):
    is_corner = np.array(data.draw(st.lists(st.booleans(), min_size=8, max_size=8)))
    points = np.array(points, dtype=float)
    curve = trace(points, is_corner[: len(points)], spacing=2.0)
    assert np.isfinite(curve).all()
    np.testing.assert_allclose(curve[[0, -1]], points[[0, -1]], atol=1e-9)
    # A piece between corners is cut into equal steps, a short piece is one step.
    assert np.diff(arc_lengths(curve)).max() <= 3.1


def test_corners_give_straight_lines():
    points = np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 10.0]])
    curve = trace(points, np.array([False, True, False]), spacing=1.0)
    assert len(curve) == 21
    assert (np.minimum(curve[:, 1], 10 - curve[:, 0]) == 0).all()


def test_a_closed_curve_of_four_points_is_nearly_round():
    points = np.array([[10.0, 0.0], [0.0, 10.0], [-10.0, 0.0], [0.0, -10.0], [10.0, 0.0]])
    radii = np.hypot(*trace(points, np.zeros(5, dtype=bool), spacing=1.0).T)
    assert radii.min() > 9.3
    assert radii.max() < 10.7


@pytest.mark.parametrize(
    ("arc", "point"), [(-3, (-3, 0)), (4, (4, 0)), (13, (10, 3)), (25, (10, 15))]
)
def test_sampling_goes_on_straight_beyond_the_ends(arc, point):
    curve = np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 10.0]])
    curve = trace(curve, np.array([True] * 3), spacing=1.0)
    (sampled,) = sample_at(curve, arc_lengths(curve), np.array([float(arc)]))
    np.testing.assert_allclose(sampled, point, atol=1e-9)


def test_an_outline_within_another_is_a_hole():
    square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    outlines = [10 + 40 * square, 20 + 20 * square]
    page = fill_page(outlines, 60, 30.0, 0.0, np.random.default_rng(0))
    assert page.shape == (60, 60)
    assert page[30, 15] == page[15, 30] == 30
    assert page[30, 30] == page[5, 5] == page[55, 55] == 255
    assert (page < 200).sum() == pytest.approx(40**2 - 20**2, rel=0.1)
