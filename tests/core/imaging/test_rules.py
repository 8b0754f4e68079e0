"""Rules vanish, strokes that cross them stay."""

import cv2
import numpy as np
import pytest

from bukva.core.arrays import UInt8Array
from bukva.core.imaging.paper import measure_ink_levels, to_lab


def rule(turn_deg: float, *, squares: bool, side_px: int = 300) -> UInt8Array:
    """White paper with blue lines."""
    y, x = np.mgrid[:side_px, :side_px].astype(np.float32)
    turn = np.radians(turn_deg)
    paper_HWC = np.full((side_px, side_px, 3), 250, dtype=np.float32)
    across = [y * np.cos(turn) - x * np.sin(turn)]
    if squares:
        across.append(x * np.cos(turn) + y * np.sin(turn))
    for distance_HW in across:
        phase_HW = np.abs(np.mod(distance_HW + 20, 47) - 23.5)
        cover_HW = np.clip(1.8 - phase_HW, 0, 1)[..., None]
        paper_HWC += cover_HW * (np.array([130, 155, 210]) - paper_HWC)
    noise_HWC = np.random.default_rng(0).normal(0, 2, paper_HWC.shape)
    return np.clip(paper_HWC + noise_HWC, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("turn_deg", [-10, -3, 0, 1, 5, 12])
@pytest.mark.parametrize("squares", [False, True])
def test_hardly_anything_is_left_of_rules(turn_deg: float, squares: bool) -> None:
    ink_HW = measure_ink_levels(to_lab(rule(turn_deg, squares=squares)))[20:-20, 20:-20]
    assert np.mean(ink_HW > 30) < 0.002


@pytest.mark.parametrize("turn_deg", [0, 4])
def test_a_stroke_that_crosses_rules_is_whole(turn_deg: float) -> None:
    paper_HWC = rule(turn_deg, squares=True)
    cv2.line(paper_HWC, (90, 60), (210, 250), (30, 40, 110), 9)
    ink_HW = measure_ink_levels(to_lab(paper_HWC))
    along = [ink_HW[round(60 + 190 * t), round(90 + 120 * t)] for t in np.linspace(0.03, 0.97, 80)]
    assert np.min(along) > 30


@pytest.mark.parametrize("bar", [(40, 60, 220, 14), (60, 40, 14, 220)])
def test_a_long_bar_that_ends_within_the_picture_is_ink(bar: tuple[int, int, int, int]) -> None:
    left, top, width, height = bar
    paper_HWC = rule(0, squares=False)
    paper_HWC[top : top + height, left : left + width] = (30, 40, 110)
    ink_HW = measure_ink_levels(to_lab(paper_HWC))
    assert np.median(ink_HW[top + 3 : top + height - 3, left + 3 : left + width - 3]) > 100
