"""A sheet on a desk is found; what only looks like one is not."""

import cv2
import numpy as np
import pytest

from bukva.core.arrays import UInt8Array
from bukva.core.imaging.paper import to_lab
from bukva.core.imaging.sheet import find_sheet

SHEET, SIZE = (245, 243, 238), (300, 200)


def lay(desk: tuple[int, int, int], turn_deg: float) -> UInt8Array:
    """A sheet in the middle of a desk, turned."""
    picture_HWC = np.empty((360, 480, 3), dtype=np.uint8)
    picture_HWC[:] = desk
    box = cv2.boxPoints(((240, 180), SIZE, turn_deg))
    cv2.fillPoly(picture_HWC, [np.rint(box).astype(np.int32)], SHEET)
    noise_HWC = np.random.default_rng(0).normal(0, 3, picture_HWC.shape)
    return np.clip(picture_HWC + noise_HWC, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("turn_deg", [-15, -6, 0, 3, 15])
@pytest.mark.parametrize("desk", [(60, 40, 30), (30, 30, 34), (150, 110, 70)])
def test_a_sheet_on_a_desk_is_found(desk: tuple[int, int, int], turn_deg: float) -> None:
    sheet = find_sheet(to_lab(lay(desk, turn_deg)))
    assert sheet is not None
    np.testing.assert_allclose(sheet.middle, (240, 180), atol=6)
    np.testing.assert_allclose(sheet.size, SIZE, rtol=0.05)
    assert sheet.turn_deg == pytest.approx(turn_deg, abs=1.5)


def test_what_was_cut_out_is_the_sheet_and_lies_where_it_says() -> None:
    picture_HWC = lay((60, 40, 30), 10)
    sheet = find_sheet(to_lab(picture_HWC))
    assert sheet is not None
    cut_HWC = sheet.cut_out(picture_HWC)
    assert cut_HWC.min() > 200
    height, width = cut_HWC.shape[:2]
    np.testing.assert_allclose(
        sheet.to_picture() @ [width / 2, height / 2, 1], sheet.middle, atol=1
    )


def test_no_sheet_is_found_where_all_is_paper() -> None:
    rng = np.random.default_rng(1)
    plain_HWC = np.clip(rng.normal(230, 4, (300, 300, 3)), 0, 255).astype(np.uint8)
    shadow_HWC = plain_HWC.copy()
    shadow_HWC[:, 150:] = shadow_HWC[:, 150:] * 0.6
    y, x = np.mgrid[:300, :300]
    shine = np.exp(-((x - 60) ** 2 + (y - 200) ** 2) / 2 / 40**2)[..., None]
    glare_HWC = np.clip(plain_HWC * 0.7 + 90 * shine, 0, 255).astype(np.uint8)
    for picture_HWC in (plain_HWC, shadow_HWC, glare_HWC):
        assert find_sheet(to_lab(picture_HWC)) is None
