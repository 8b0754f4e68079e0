"""Every scene shows what its name says, on a page of the stroke alphabet."""

import cv2
import numpy as np
import pytest

from bukva.core.arrays import UInt8Array
from bukva.tasks.glyph.evaluation.scenes import SCENES
from bukva.tasks.glyph.strokes.writing import draw_symbol

CUTTING = ("neighbour", "cropped", "small_plain", "small_striped", "small_squared", "small_graph")
"""These cut the ink out: there has to be some."""


@pytest.fixture(scope="module")
def page() -> UInt8Array:
    """A letter on a page as large as those of the corpora."""
    drawn_HW = draw_symbol("Ж", np.random.default_rng(3))
    return np.asarray(cv2.resize(drawn_HW, (200, 200), interpolation=cv2.INTER_CUBIC))


def show(name: str, page_HW: UInt8Array, seed: int = 0) -> np.ndarray:
    return SCENES[name](page_HW, np.random.default_rng(seed)).astype(float)


def ground_of(picture_HWC: np.ndarray) -> np.ndarray:
    return np.median(picture_HWC.reshape(-1, 3), axis=0)


@pytest.mark.parametrize("name", SCENES)
def test_scenes_are_rgb_the_same_for_the_same_seed(name: str, page: UInt8Array) -> None:
    before_HW = page.copy()
    once, again, other = (SCENES[name](page, np.random.default_rng(seed)) for seed in (1, 1, 2))

    assert once.dtype == np.uint8
    assert once.shape[2] == 3
    np.testing.assert_array_equal(once, again)
    assert not np.array_equal(once, other)
    np.testing.assert_array_equal(page, before_HW)


@pytest.mark.parametrize("name", [name for name in SCENES if name not in CUTTING])
def test_even_a_page_without_ink_can_be_shown(name: str) -> None:
    picture = show(name, np.full((120, 100), 255, dtype=np.uint8))

    assert np.ptp(picture) > 0


@pytest.mark.parametrize(
    ("name", "pitch_px", "is_squared"),
    [("squared_wide", 40, True), ("squared_narrow", 200 / 11, True), ("ruled", 50, False)],
)
def test_printed_lines_are_periodic(
    name: str, pitch_px: float, is_squared: bool, page: UInt8Array
) -> None:
    red_HW = show(name, np.full_like(page, 255))[:, :, 0]

    for axis, is_printed in ((1, True), (0, is_squared)):
        profile = red_HW.mean(axis=axis)
        spectrum = np.abs(np.fft.rfft(profile - profile.mean()))[1:20]
        period_px = len(profile) / (1 + int(spectrum[: round(1.5 * 200 / pitch_px)].argmax()))
        assert (np.ptp(profile) > 20) == is_printed
        if is_printed:
            assert period_px == pytest.approx(pitch_px, rel=0.15)


@pytest.mark.parametrize(
    ("name", "darkest"), [("soft_shadow_70", 0.7), ("soft_shadow_50", 0.5), ("hard_shadow_60", 0.6)]
)
def test_shadows_leave_the_light_that_they_are_named_for(
    name: str, darkest: float, page: UInt8Array
) -> None:
    picture_HWC = cv2.blur(show(name, np.full_like(page, 255)), (5, 5))

    assert picture_HWC.min() / picture_HWC.max() == pytest.approx(darkest, abs=0.03)


def test_desks_lie_outside_of_the_page(page: UInt8Array) -> None:
    around, beside = (show(name, page) for name in ("desk_around", "desk_beside"))

    assert around.shape == (340, 340, 3)
    for corner in (around[:20, :20], around[-20:, -20:], beside[:, :50]):
        assert corner.mean() < 150
    assert beside.shape == (200, 270, 3)
    assert np.median(beside[:, 80:]) > 240


def test_one_pixel_alone_is_white(page: UInt8Array) -> None:
    picture = show("white_pixel", page)

    assert (picture == 255).all(axis=2).sum() == 1
    assert np.median(picture) < 190


def test_chalk_is_lighter_than_its_board(page: UInt8Array) -> None:
    picture = show("chalk", page)

    assert ground_of(picture).max() < 110
    assert picture[page < 60].mean() > ground_of(picture).mean() + 60


@pytest.mark.parametrize("name", ["yellow_marker", "red_on_green"])
def test_coloured_ink_is_told_by_a_colour(name: str, page: UInt8Array) -> None:
    picture = show(name, page)

    difference = np.abs(picture[page < 60].mean(axis=0) - ground_of(picture))
    luma = np.array([0.299, 0.587, 0.114])
    assert difference.max() > 60
    assert abs(luma @ (picture[page < 60].mean(axis=0) - ground_of(picture))) < 40


def test_the_neighbour_reaches_in_at_the_right_edge(page: UInt8Array) -> None:
    added = show("neighbour", page)[:, :, 0] < 100

    assert added[:, -2:].any()
    assert not added[:, :10].any()


def test_a_cropped_page_has_ink_at_every_edge(page: UInt8Array) -> None:
    red_HW = show("cropped", page)[:, :, 0]

    for edge in (red_HW[0], red_HW[-1], red_HW[:, 0], red_HW[:, -1]):
        assert edge.min() < 150


@pytest.mark.parametrize("name", [name for name in SCENES if name.startswith("small_")])
def test_small_photos_have_32_pixels_and_ink(name: str, page: UInt8Array) -> None:
    picture = show(name, page)

    assert picture.shape == (32, 32, 3)
    assert np.abs(picture - ground_of(picture)).max() > 50


def test_what_training_does_not_know_looks_as_it_is_called(page: UInt8Array) -> None:
    millimetre, crease, kraft = (show(name, page) for name in ("millimetre", "crease", "kraft"))

    red, _, blue = millimetre.reshape(-1, 3).mean(axis=0)
    assert red - blue > 20
    red, green, blue = ground_of(kraft)
    assert red > green + 20 > blue + 40
    empty = cv2.blur(show("crease", np.full_like(page, 255)), (3, 3))
    assert empty.min() < 0.75 * np.median(empty)
    assert crease[page < 60].mean() < 100
