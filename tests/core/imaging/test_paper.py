"""What is read of letters on paper is what is read of the clean page."""

import cv2
import numpy as np
import pytest

from bukva.core.arrays import UInt8Array
from bukva.core.imaging.paper import read_symbol
from bukva.errors import EmptyImageError, SeveralSymbolsError, TooDarkError
from bukva.tasks.glyph.evaluation.scenes import SCENES
from bukva.tasks.glyph.preprocessing import preprocess
from bukva.tasks.glyph.strokes.writing import draw_symbol

LETTERS = "ЖПїйшеДґТю"
SHARP = sorted(set(SCENES) - {"small_plain", "small_striped", "small_squared", "small_graph"})


def draw_page(letter: str) -> UInt8Array:
    """A letter as the corpora have it, large and whole on its page."""
    drawn_HW = draw_symbol(letter, np.random.default_rng(3))
    large_HW = cv2.resize(drawn_HW, (200, 200), interpolation=cv2.INTER_CUBIC)
    return np.pad(np.asarray(large_HW), 40, constant_values=255)


def likeness(first_HW: np.ndarray, second_HW: np.ndarray) -> float:
    """Cosine of two frames, blurred: a line may lie a pixel beside itself."""
    first, second = (
        cv2.GaussianBlur(frame_HW.astype(np.float32), (0, 0), 1.6).ravel()
        for frame_HW in (first_HW, second_HW)
    )
    return float(first @ second / np.linalg.norm(first) / np.linalg.norm(second))


@pytest.mark.parametrize("scene", SHARP)
def test_the_letter_is_found_as_on_a_clean_page(scene: str) -> None:
    found = []
    for place, letter in enumerate(LETTERS):
        page_HW = draw_page(letter)
        picture_HWC = SCENES[scene](page_HW, np.random.default_rng(place))
        frame_HW = preprocess(picture_HWC, has_page=None).image_HW
        found.append(likeness(frame_HW, preprocess(page_HW).image_HW))
    assert np.median(found) > 0.9
    assert np.mean(np.array(found) > 0.75) >= 0.8, dict(zip(LETTERS, found, strict=True))


@pytest.mark.parametrize("side_px", [32, 48, 128, 700, 1500])
def test_a_photograph_of_any_size_is_read(side_px: int) -> None:
    page_HW = draw_page("Ж")
    picture_HWC = SCENES["soft_shadow_70"](page_HW, np.random.default_rng(0))
    how = cv2.INTER_AREA if side_px < 280 else cv2.INTER_CUBIC
    sized_HWC = np.asarray(cv2.resize(picture_HWC, (side_px, side_px), interpolation=how))
    frame_HW = preprocess(sized_HWC, has_page=None).image_HW
    assert likeness(frame_HW, preprocess(page_HW).image_HW) > 0.85


def test_a_small_letter_on_a_large_sheet_is_looked_at_from_near() -> None:
    page_HW = draw_page("Ж")
    sheet_HW = np.full((1000, 750), 215, dtype=np.uint8)
    small_HW = np.asarray(cv2.resize(page_HW, (90, 90), interpolation=cv2.INTER_AREA))
    sheet_HW[300:390, 420:510] = np.minimum(sheet_HW[300:390, 420:510], small_HW)
    noise_HW = np.random.default_rng(0).normal(0, 4, sheet_HW.shape)
    picture_HW = np.clip(sheet_HW + noise_HW, 0, 255).astype(np.uint8)
    symbol = read_symbol(picture_HW)
    assert symbol.to_picture[0, 0] == pytest.approx(1, abs=0.6), "not of the reduced picture"
    left, top = symbol.to_picture @ [0, 0, 1]
    assert 420 < left < 510
    assert 300 < top < 390
    frame_HW = preprocess(picture_HW, has_page=None).image_HW
    assert likeness(frame_HW, preprocess(page_HW).image_HW) > 0.85


@pytest.mark.parametrize("seed", range(16))
def test_uneven_light_is_not_taken_for_a_letter(seed: int) -> None:
    """Of a whole sheet a letter is a hundredth, and the light on it is nowhere the same."""
    page_HW = draw_page("Ж")
    rng = np.random.default_rng(seed)
    light_hw = rng.uniform(0.72, 1, (7, 5)).astype(np.float32)
    light_HW = np.asarray(cv2.resize(light_hw, (750, 1000), interpolation=cv2.INTER_CUBIC))
    sheet_HW = np.full((1000, 750), 225, dtype=np.uint8)
    small_HW = np.asarray(cv2.resize(page_HW, (70, 70), interpolation=cv2.INTER_AREA))
    top, left = int(rng.integers(100, 800)), int(rng.integers(100, 550))
    sheet_HW[top : top + 70, left : left + 70] = np.minimum(small_HW, 225)
    picture_HW = sheet_HW * light_HW + rng.normal(0, 3, sheet_HW.shape)
    symbol = read_symbol(np.clip(picture_HW, 0, 255).astype(np.uint8))
    height, width = symbol.ink_hw.shape
    across, down = symbol.to_picture @ [width / 2, height / 2, 1] - (left + 35, top + 35)
    assert max(abs(across), abs(down)) < 20
    assert 20 < max(width, height) * symbol.to_picture[0, 0] < 60


def test_pale_ink_is_told_from_the_squares_by_its_colour() -> None:
    orange, blue, paper = (np.float32(tone) for tone in ((240, 150, 50), (140, 160, 215), 240))
    found = []
    for letter in LETTERS:
        page_HW = np.asarray(cv2.resize(draw_page(letter), (32, 32), interpolation=cv2.INTER_AREA))
        ink_HW1 = 1 - page_HW[..., None] / np.float32(255)
        picture_HWC = np.full((32, 32, 3), paper)
        picture_HWC[3::6] = picture_HWC[:, 2::6] = blue
        picture_HWC += ink_HW1 * (orange - picture_HWC)
        picture_HWC += np.random.default_rng(0).normal(0, 4, picture_HWC.shape)
        frame_HW = preprocess(np.clip(picture_HWC, 0, 255).astype(np.uint8), has_page=None).image_HW
        found.append(likeness(frame_HW, preprocess(draw_page(letter)).image_HW))
    assert np.median(found) > 0.65, dict(zip(LETTERS, found, strict=True))


@pytest.mark.parametrize("seed", range(4))
def test_paper_with_nothing_on_it_is_empty(seed: int) -> None:
    rng = np.random.default_rng(seed)
    picture_HWC = rng.normal(200, 3, (300, 400, 1)) + rng.normal(0, 1, (300, 400, 3))
    with pytest.raises(EmptyImageError, match="the image is empty"):
        read_symbol(np.clip(picture_HWC, 0, 255).astype(np.uint8))


def test_a_picture_in_which_nothing_can_be_seen_is_too_dark() -> None:
    rng = np.random.default_rng(0)
    picture_HWC = np.clip(rng.normal(9, 2, (300, 400, 3)), 0, 255).astype(np.uint8)
    with pytest.raises(TooDarkError, match="better light"):
        read_symbol(picture_HWC)


def test_two_letters_apart_and_a_line_of_them_are_several() -> None:
    letters = [draw_page(letter)[40:240, 40:240] for letter in "ЖДБЮ"]
    for row in (letters[:2], letters):
        page_HW = np.full((400, 100 + 300 * len(row)), 255, dtype=np.uint8)
        for place, letter_HW in enumerate(row):
            page_HW[100:300, 100 + 300 * place : 300 + 300 * place] = letter_HW
        shaded_HW = page_HW * np.linspace(1, 0.7, page_HW.shape[1])
        with pytest.raises(SeveralSymbolsError, match="several"):
            read_symbol(shaded_HW.astype(np.uint8))


def test_one_picture_is_one_frame_wherever_it_lies_in_memory() -> None:
    picture_HWC = SCENES["squared_wide"](draw_page("Ж"), np.random.default_rng(0))
    frames = []
    for offset in (0, 1, 4, 12, 36):
        room = np.empty(picture_HWC.nbytes + 64, dtype=np.uint8)
        there_HWC = room[offset : offset + picture_HWC.nbytes].reshape(picture_HWC.shape)
        there_HWC[:] = picture_HWC
        frames.append(preprocess(there_HWC, has_page=None).image_HW)
    for frame_HW in frames[1:]:
        np.testing.assert_array_equal(frame_HW, frames[0])
