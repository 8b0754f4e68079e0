"""Pictures of lines to ink in the frame, and places on it back to the picture."""

import cv2
import numpy as np
import pytest

from bukva.core.arrays import UInt8Array
from bukva.core.fonts import HANDWRITING_FONTS
from bukva.errors import ImageTooSmallError
from bukva.tasks.line.font_lines import set_in_font
from bukva.tasks.line.framing import HEIGHT, MOST_WIDTH, STRIDE, frame_line

CAVEAT = next(font for font in HANDWRITING_FONTS if font.name == "caveat")


def write(
    text: str = "Дорога мамо, пишу тобі", *, margin: int = 20, paper: int = 225
) -> UInt8Array:
    """A line on even paper."""
    ink_HW, _ = set_in_font(text, CAVEAT, np.random.default_rng(3))
    padded_HW = np.pad(ink_HW, margin).astype(np.float32) / 255
    return np.rint(225 - padded_HW * 185).astype(np.uint8)


def likeness(one_hw: UInt8Array, other_hw: UInt8Array) -> float:
    """Correlation of two framed lines, each as wide as the other."""
    cut = [cv2.resize(each[:, 6:-6], (400, 48)) for each in (one_hw, other_hw)]
    one_N, other_N = (np.asarray(each, dtype=np.float64).ravel() for each in cut)
    return float(np.corrcoef(one_N, other_N)[0, 1])


def test_a_line_fills_the_height_and_keeps_its_aspect() -> None:
    page_HW = write()
    framed = frame_line(page_HW)
    assert framed.ink_hw.shape[0] == HEIGHT
    assert framed.ink_hw.shape[1] % STRIDE == 0
    rows = np.flatnonzero((framed.ink_hw > 100).any(axis=1))
    assert rows[0] <= 5
    assert rows[-1] >= HEIGHT - 6
    columns = np.flatnonzero((page_HW < 120).any(axis=0))
    height = np.ptp(np.flatnonzero((page_HW < 120).any(axis=1))) + 1
    expected = 42 * (np.ptp(columns) + 1) / height
    assert framed.ink_width == pytest.approx(expected, rel=0.1)


def test_margin_size_colour_and_light_change_little() -> None:
    plain = frame_line(write()).ink_hw
    page_HW = write(margin=60)
    large_HW = cv2.resize(page_HW, None, fx=2.6, fy=2.6, interpolation=cv2.INTER_CUBIC)
    shade_W = np.linspace(0.55, 1.0, page_HW.shape[1])
    shaded_HW = np.rint(page_HW * shade_W).astype(np.uint8)
    coloured_HWC = np.stack([page_HW, page_HW, np.full_like(page_HW, 225)], axis=2)
    for changed in (page_HW, np.asarray(large_HW), shaded_HW, coloured_HWC, 255 - write()):
        framed_hw = frame_line(np.asarray(changed, dtype=np.uint8)).ink_hw
        assert abs(framed_hw.shape[1] - plain.shape[1]) <= 2 * STRIDE
        assert likeness(framed_hw, plain) > 0.8


def test_a_rule_below_the_text_is_taken_off() -> None:
    page_HW = write(margin=30)
    ruled_HW = page_HW.copy()
    ruled_HW[-22:-20] = 150
    ruled_HW[12:13] = 150
    plain_hw, framed_hw = frame_line(page_HW).ink_hw, frame_line(ruled_HW).ink_hw
    assert likeness(framed_hw, plain_hw) > 0.8


@pytest.mark.parametrize("turn_deg", [0.0, 1.5, -3.0])
def test_squared_paper_is_taken_off(turn_deg: float) -> None:
    page_HW = write(margin=22)
    squares_HW = np.full_like(page_HW, 225)
    squares_HW[5::22] = squares_HW[:, 7::22] = 165
    height, width = page_HW.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn_deg, 1.0)
    turned = [
        cv2.warpAffine(each, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
        for each in (page_HW, squares_HW)
    ]
    plain = frame_line(np.asarray(turned[0], dtype=np.uint8))
    framed = frame_line(np.minimum(*turned).astype(np.uint8))
    assert likeness(framed.ink_hw, plain.ink_hw) > 0.8


@pytest.mark.parametrize(("turn_deg", "alike"), [(2.5, 0.7), (-7.0, 0.6)])
def test_a_sloping_line_is_levelled(turn_deg: float, alike: float) -> None:
    """Its letters lean by the turn, so that a steep one is less like itself."""
    page_HW = write("Прошу видати мені довідку про склад сім'ї", margin=60)
    height, width = page_HW.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn_deg, 1.0)
    turned_HW = cv2.warpAffine(page_HW, matrix, (width, height), borderValue=225)
    framed = frame_line(np.asarray(turned_HW, dtype=np.uint8))
    assert likeness(framed.ink_hw, frame_line(page_HW).ink_hw) > alike


@pytest.mark.parametrize("slope", [0.0, 3.0])
def test_places_lead_back_to_the_picture(slope: float) -> None:
    page_HW = write("так                    ні", margin=50)
    height, width = page_HW.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), slope, 1.0)
    page_HW = np.asarray(cv2.warpAffine(page_HW, matrix, (width, height), borderValue=225))
    framed = frame_line(page_HW)
    inked = np.flatnonzero((framed.ink_hw > 100).any(axis=0))
    quad_42 = framed.to_quad(float(inked[0]), float(inked[-1] + 1))
    dark_yx = np.argwhere(page_HW < 120)
    assert quad_42[:, 0].min() == pytest.approx(dark_yx[:, 1].min(), abs=4)
    assert quad_42[:, 0].max() == pytest.approx(dark_yx[:, 1].max(), abs=4)
    assert quad_42[:, 1].min() == pytest.approx(dark_yx[:, 0].min(), abs=10)
    assert quad_42[:, 1].max() == pytest.approx(dark_yx[:, 0].max(), abs=10)


def test_a_line_on_a_large_photo_is_read_from_all_its_pixels() -> None:
    line_HW = write("Щастя - це коли тебе розуміють", margin=0)
    photo_HW = np.full((3000, 4000), 225, dtype=np.uint8)
    enlarged_HW = cv2.resize(line_HW, None, fx=2.0, fy=2.0)
    height, width = enlarged_HW.shape
    photo_HW[1400 : 1400 + height, 600 : 600 + width] = enlarged_HW
    framed = frame_line(photo_HW)
    plain = frame_line(np.pad(line_HW, 20, constant_values=225))
    assert likeness(framed.ink_hw, plain.ink_hw) > 0.7
    top, bottom = framed.to_quad(0, 10)[[0, 3], 1]
    assert 1300 < top < bottom < 1600 + height


def test_a_long_line_is_squeezed() -> None:
    framed = frame_line(np.hstack([write("мілина " * 8)] * 5))
    assert framed.ink_hw.shape[1] <= MOST_WIDTH


def test_nothing_written_is_nothing() -> None:
    rng = np.random.default_rng(1)
    paper_HW = np.full((64, 700), 220, dtype=np.uint8)
    noisy_HW = np.clip(paper_HW + rng.normal(0, 4, paper_HW.shape), 0, 255).astype(np.uint8)
    ruled_HW = noisy_HW.copy()
    ruled_HW[40:42] = 120
    for blank_HW in (paper_HW, noisy_HW, ruled_HW):
        framed = frame_line(blank_HW)
        assert framed.is_empty
        assert framed.ink_hw.shape == (HEIGHT, 0)


def test_a_picture_one_pixel_high_is_refused_with_the_reason() -> None:
    with pytest.raises(ImageTooSmallError, match="900 x 1"):
        frame_line(np.full((1, 900), 200, dtype=np.uint8))


def test_the_height_of_the_writing_is_that_on_the_picture() -> None:
    page_HW = np.full((100, 400), 225, np.uint8)
    page_HW[30:66, 100:300:20] = 30  # dashes
    page_HW[30:66, 100] = 30
    assert frame_line(page_HW).height_px == pytest.approx(36, abs=4)
    assert frame_line(np.full((100, 400), 225, np.uint8)).height_px == 0
