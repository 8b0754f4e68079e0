"""Ink is what is written, whatever paper it is on."""

import cv2
import numpy as np
import pytest

from bukva.core.imaging.text_ink import read_text_ink
from bukva.errors import TooDarkError


def write(height: int = 60, width: int = 400, ink: int = 40, ground: int = 220) -> np.ndarray:
    page_HW = np.full((height, width), ground, np.uint8)
    cv2.putText(page_HW, "Reading 1914", (20, 42), cv2.FONT_HERSHEY_SIMPLEX, 1.2, ink, 3)
    return page_HW


def likeness(one_HW: np.ndarray, other_HW: np.ndarray) -> float:
    return float(np.corrcoef(one_HW.ravel(), other_HW.ravel())[0, 1])


@pytest.mark.parametrize(("ink", "ground"), [(0, 255), (90, 140), (200, 235), (255, 0), (230, 60)])
def test_tone_of_ink_and_paper_change_nothing(ink: int, ground: int) -> None:
    expected_HW = read_text_ink(write())
    found_HW = read_text_ink(write(ink=ink, ground=ground))
    assert likeness(expected_HW, found_HW) > 0.97
    assert found_HW.max() == pytest.approx(1.0)


def test_a_shade_from_end_to_end_leaves_the_paper_empty() -> None:
    page_HW = write().astype(np.float32) * np.linspace(1.0, 0.45, 400, dtype=np.float32)
    found_HW = read_text_ink(page_HW.astype(np.uint8))
    assert likeness(read_text_ink(write()), found_HW) > 0.9
    assert found_HW[:, :12].max() < 0.1


@pytest.mark.parametrize("tone", [60, 128, 255])
def test_paper_alone_holds_no_ink(tone: int) -> None:
    grain_HW = np.random.default_rng(1).normal(tone, 2.0, (80, 300)).clip(0, 255)
    assert not read_text_ink(grain_HW.astype(np.uint8)).any()


def test_a_black_picture_is_too_dark() -> None:
    with pytest.raises(TooDarkError, match="better light"):
        read_text_ink(np.full((50, 50), 10, np.uint8))
