"""Simulated photographs: what a style says is seen, and nothing depends on how they are cut up."""

import cv2
import numpy as np
import pytest

from bukva.core.imaging.camera import CameraStyle, LightStyle
from bukva.core.imaging.papers import DeskStyle, SheetStyle
from bukva.core.imaging.pens import PenStyle
from bukva.core.imaging.photographs import (
    PhotoStyle,
    draw_photo_style,
    photograph,
    photograph_frames,
)

PAPER = SheetStyle((0.95, 0.95, 0.95), False, (), keystone=0, bend=0, grain=0, clouds=0)
BLUE = PenStyle((0.1, 0.2, 0.6), 1.0, covers=False, thicker=0, uneven=0, grain=0)
DAYLIGHT = LightStyle(
    falloff=0, direction=0, clouds=0, vignette=0, shadow=0, shadow_edge=0.1, glare=0
)
SHARP = CameraStyle(
    blur=0, motion=0, noise=0, colour_noise=0, gains=(1, 1, 1), gamma=1, jpeg_quality=None
)
PLAIN = PhotoStyle(
    shape=(160, 200), symbol=0.5, place=(0.5, 0.5), sheet=PAPER, pen=BLUE, desk=None,
    light=DAYLIGHT, camera=SHARP, neighbour=None, dirt=(),
)  # fmt: skip


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    """Six scrawls, as samples are stored."""
    rng = np.random.default_rng(5)
    frames_NHW = np.zeros((6, 40, 40), dtype=np.uint8)
    for frame_HW in frames_NHW:
        corners = rng.integers(4, 36, (6, 2)).astype(np.int32)
        cv2.polylines(frame_HW, [corners], isClosed=False, color=255, thickness=3)
    return frames_NHW


@pytest.fixture
def ink() -> np.ndarray:
    """A cross, cut out."""
    ink_HW = np.zeros((80, 60), dtype=np.uint8)
    cv2.line(ink_HW, (2, 2), (57, 77), 255, 5)
    cv2.line(ink_HW, (57, 2), (2, 77), 255, 5)
    return ink_HW


def take(ink: np.ndarray, style: PhotoStyle, seed: int = 0) -> np.ndarray:
    return photograph(ink, style, np.random.default_rng(seed))


def test_parts_make_no_difference(frames: np.ndarray) -> None:
    whole = photograph_frames(frames, seed=3, neighbours_MHW=frames)
    parts = [
        picture
        for start in range(0, len(frames), 2)
        for picture in photograph_frames(
            frames[start : start + 2], 3, range(start, start + 2), neighbours_MHW=frames
        )
    ]

    assert all(np.array_equal(one, other) for one, other in zip(whole, parts, strict=True))


def test_the_seed_decides(frames: np.ndarray) -> None:
    once, again, other = (photograph_frames(frames, seed=seed) for seed in (3, 3, 4))

    assert all(np.array_equal(*pair) for pair in zip(once, again, strict=True))
    assert not any(np.array_equal(*pair) for pair in zip(once, other, strict=True))


@pytest.mark.parametrize("side_px", [(32, 320), (32, 32), (100, 480)])
def test_pictures_are_rgb_of_the_asked_size(frames: np.ndarray, side_px: tuple[int, int]) -> None:
    for picture in photograph_frames(np.repeat(frames, 4, axis=0), seed=1, side_px=side_px):
        assert picture.dtype == np.uint8
        assert picture.shape[2] == 3
        assert side_px[0] <= min(picture.shape[:2]) <= side_px[1]
        assert max(picture.shape[:2]) <= 1.3 * min(picture.shape[:2]) + 1


def test_styles_differ_and_are_the_same_for_the_same_seed() -> None:
    styles = [draw_photo_style(np.random.default_rng(seed)) for seed in (1, 2, 1)]

    assert styles[0] == styles[2] != styles[1]


def test_an_empty_frame_gives_an_empty_sheet(ink: np.ndarray) -> None:
    picture = take(np.zeros_like(ink), PLAIN)

    assert np.ptp(picture) <= 1 + np.ptp(picture[0, 0])


def test_the_symbol_has_its_size_and_place(ink: np.ndarray) -> None:
    picture = take(ink, PLAIN._replace(symbol=0.6, place=(0.0, 1.0)))

    rows, columns = np.nonzero(picture[:, :, 0] < 128)
    assert rows.min() <= 4
    assert columns.max() >= 195
    assert np.ptp(rows) + 1 == pytest.approx(0.6 * 160, abs=8)


def test_the_ink_has_the_colour_of_the_pen(ink: np.ndarray) -> None:
    picture = take(ink, PLAIN)

    red, _, blue = picture[picture[:, :, 0] < 60].mean(axis=0)
    assert blue - red > 80


def test_the_desk_lies_outside_of_the_sheet(ink: np.ndarray) -> None:
    desk = DeskStyle((0.3, 0.2, 0.1), texture=0, turn_deg=0, gaps=(None, 0.5, None, None))

    picture = take(ink, PLAIN._replace(desk=desk))

    below, above = picture[-1].mean(), picture[0].mean()
    assert below < 70
    assert above > 230
    edge = np.flatnonzero(picture[:, 0, 0] < 150)[0]
    assert edge == pytest.approx(0.5 * (120 + 160), abs=2)


def test_a_shadow_darkens_a_part(ink: np.ndarray) -> None:
    light = DAYLIGHT._replace(shadow=0.5, shadow_edge=0.01)

    grounds = [take(ink, PLAIN._replace(light=light), seed)[:, :, 1] for seed in range(6)]

    shades = [np.unique((ground // 16)[:3]).size for ground in grounds]
    assert max(shades) > 1
    assert min(int(ground[0].min()) for ground in grounds) == pytest.approx(0.5 * 242, abs=4)


def test_glare_whitens(ink: np.ndarray) -> None:
    grey = PLAIN._replace(sheet=PAPER._replace(colour=(0.6, 0.6, 0.6)))

    with_glare = take(ink, grey._replace(light=DAYLIGHT._replace(glare=0.9)))

    assert int(with_glare.max()) - int(take(ink, grey).max()) > 50


def test_noise_is_as_strong_as_asked_and_coloured(ink: np.ndarray) -> None:
    grey = PLAIN._replace(sheet=PAPER._replace(colour=(0.6, 0.6, 0.6)))
    one_noise, three_noises = (
        take(ink, grey._replace(camera=SHARP._replace(noise=5, colour_noise=share)))[:30]
        for share in (0, 1)
    )

    assert one_noise[:, :, 0].std() == pytest.approx(5, abs=0.5)
    assert np.array_equal(one_noise[:, :, 0], one_noise[:, :, 2])
    assert np.ptp(three_noises.astype(int), axis=2).mean() > 4


def test_a_file_with_loss_differs_from_one_without(ink: np.ndarray) -> None:
    crude, without = (
        take(ink, PLAIN._replace(camera=SHARP._replace(jpeg_quality=quality)))
        for quality in (15, None)
    )

    difference = np.abs(crude.astype(int) - without)
    assert 1 < difference.mean() < 20


def test_blur_and_motion_soften_edges(ink: np.ndarray) -> None:
    sharp, *soft = (
        np.abs(np.diff(take(ink, PLAIN._replace(camera=camera))[:, :, 0].astype(int))).max()
        for camera in (SHARP, SHARP._replace(blur=0.02), SHARP._replace(motion=0.06))
    )

    assert all(step < 0.7 * sharp for step in soft)


def test_a_dead_pixel_is_black_or_white(ink: np.ndarray) -> None:
    style = PLAIN._replace(sheet=PAPER._replace(colour=(0.6, 0.6, 0.6)), dirt=("pixel",))

    picture = take(np.zeros_like(ink), style)

    assert (np.abs(picture.astype(int) - 153).max(axis=2) > 50).sum() == 1


def test_a_neighbour_reaches_in_at_its_side(ink: np.ndarray) -> None:
    picture = take(ink, PLAIN._replace(neighbour=3, symbol=0.4, place=(0.5, 0.0)))

    assert (picture[:, -3:, 0] < 128).any()
    assert not (picture[:, :2, 0].min() < 128 and picture[:, 90:130, 0].min() < 128)


def test_32_pixels_are_enough_to_see_it(ink: np.ndarray) -> None:
    picture = take(ink, PLAIN._replace(shape=(32, 32), symbol=0.8))

    assert picture.shape == (32, 32, 3)
    ink_share = (picture[:, :, 0] < 160).mean()
    assert 0.03 < ink_share < 0.4


@pytest.mark.parametrize("name", ["specks", "hole", "staple", "smear", "bleed"])
def test_dirt_is_seen(ink: np.ndarray, name: str) -> None:
    style = PLAIN._replace(sheet=PAPER._replace(colour=(0.7, 0.7, 0.7)))

    clean, dirty = take(ink, style), take(ink, style._replace(dirt=(name,)))

    assert not np.array_equal(clean, dirty)
