"""Framing gives the same bits as the former one, on pages of every kind."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from bad_images import BAD_IMAGES
from former_framing import frame_as_before
from PIL import Image, ImageFilter

from bukva.core.arrays import UInt8Array
from bukva.core.imaging.decoding import decode_image, to_grey
from bukva.core.samples import RawSample
from bukva.errors import ImageError
from bukva.tasks.glyph.preprocessing import Glyph, Preprocessing, preprocess_all

FORMER = Preprocessing(reads_paper=False)
SOFTER = replace(FORMER, symbol_px=14, min_contrast=60, ink_threshold=0.4, speck_share=0.05)


def harm(grey_HW: UInt8Array, kind: int, rng: np.random.Generator) -> UInt8Array:
    """A page with what scans, cameras and bad light add to one."""
    height, width = grey_HW.shape
    harmed_HW = grey_HW.copy()
    match kind:
        case 0:
            return 255 - grey_HW
        case 1:
            noise_HW = rng.normal(0, 12, grey_HW.shape)
            return np.clip(grey_HW + noise_HW, 0, 255).astype(np.uint8)
        case 2:
            for top, left in rng.integers(0, (height, width), (30, 2)):
                harmed_HW[top : top + 2, left : left + 2] = 0
        case 3:
            harmed_HW[:, : max(1, width // 40)] = 0
        case 4:
            harmed_HW[-max(1, height // 30) :] = 0
            harmed_HW[:, -3:] = 10
        case 5:
            return np.asarray(Image.fromarray(grey_HW).filter(ImageFilter.GaussianBlur(3)))
        case 6:
            harmed_HW = (grey_HW // 3 + 90).astype(np.uint8)
            harmed_HW[rng.random(grey_HW.shape) < 0.01] = 20
        case 7:
            return rng.integers(0, 256, grey_HW.shape).astype(np.uint8)
    return harmed_HW


def bad_pages() -> Iterator[UInt8Array]:
    for image in BAD_IMAGES:
        try:
            yield to_grey(decode_image(image.make()))
        except ImageError:
            continue


@pytest.fixture(scope="module")
def pages(drawn_pages: list[RawSample]) -> list[UInt8Array]:
    rng = np.random.default_rng(7)
    drawn = [page.image for page in drawn_pages]
    harmed = [harm(grey_HW, place % 8, rng) for place, grey_HW in enumerate(drawn)]
    sizes = [(1, 1), (1, 50), (50, 1), (2, 2), (300, 700), (1024, 900)]
    noise = [rng.integers(0, 256, size).astype(np.uint8) for size in sizes]
    dots = [np.where(rng.random((28, 28)) < 0.1, 255, 0).astype(np.uint8) for _ in range(30)]
    return [*drawn, *harmed, *bad_pages(), *noise, *dots]


@pytest.mark.parametrize("constants", [FORMER, SOFTER], ids=["usual", "softer"])
@pytest.mark.parametrize("has_page", [True, False])
def test_every_frame_is_as_it_was(
    pages: list[UInt8Array], constants: Preprocessing, has_page: bool
) -> None:
    together = preprocess_all(pages, has_page=has_page, constants=constants)
    framed = 0
    for page_HW, found in zip(pages, together, strict=True):
        [alone] = preprocess_all([page_HW], has_page=has_page, constants=constants)
        former = frame_as_before(page_HW, has_page, constants)
        if former is None:
            assert not isinstance(found, Glyph)
            continue
        for glyph in (found, alone):
            assert isinstance(glyph, Glyph)
            assert glyph.image_HW.tobytes() == former.image_HW.tobytes()
            assert glyph.page_F.tobytes() == former.page_F.tobytes()
            assert glyph.frame_box == former.frame_box
        framed += 1
    assert framed > 250
