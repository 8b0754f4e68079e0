import io

import numpy as np
import pytest
from PIL import Image

from bukva.core.imaging.upscaling import PageStyle, draw_style, encode_page, enlarge
from bukva.core.samples import RawSample
from bukva.tasks.glyph.preprocessing import preprocess

PLAIN = PageStyle(page_px=300, ink_px=150.0, pen=0.45, softness=0.1, grey=20.0, left=0.5, top=0.5)


@pytest.fixture(scope="module")
def framed(drawn_pages: list[RawSample]) -> np.ndarray:
    pages = [page for page in drawn_pages if page.label in "2368бжяю"]
    return np.stack([preprocess(page.image).image_HW for page in pages])


def ink_box(page_HW: np.ndarray) -> tuple[int, int]:
    rows, columns = np.nonzero(page_HW < 128)
    return int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1


def test_symbol_has_the_asked_size_on_a_white_page(framed: np.ndarray) -> None:
    for image_HW in framed:
        page_HW = enlarge(image_HW, PLAIN)
        assert page_HW.shape == (300, 300)
        assert page_HW.dtype == np.uint8
        assert page_HW.max() == 255
        assert page_HW.min() == 20
        assert max(ink_box(page_HW)) == pytest.approx(150, abs=12)


def test_preprocessing_finds_the_small_symbol_again(framed: np.ndarray) -> None:
    again = np.stack([preprocess(enlarge(image_HW, PLAIN)).image_HW for image_HW in framed])
    count = len(framed)
    likeness = np.corrcoef(framed.reshape(count, -1), again.reshape(count, -1))[:count, count:]
    # A thin line that comes to lie a pixel beside itself has little in common with itself.
    assert (likeness.diagonal() > 0.4).all()
    assert np.median(likeness.diagonal()) > 0.7
    assert (likeness.argmax(axis=1) == np.arange(count)).mean() > 0.9


def test_line_is_drawn_and_not_made_of_large_pixels(framed: np.ndarray) -> None:
    page_HW = enlarge(framed[0], PLAIN)
    is_between = (page_HW > 40) & (page_HW < 235)
    assert is_between.mean() < 0.02, "paper and ink, and little between them"
    # A small image's pixel would be a square of 150 / 20 px: its edges are straight that long.
    edges = np.diff((page_HW < 128).astype(int), axis=1)
    moves = np.abs(np.diff(np.argmax(edges == 1, axis=1)[(edges == 1).any(axis=1)]))
    assert np.median(moves) <= 3


def test_a_lower_pen_is_a_thicker_line(framed: np.ndarray) -> None:
    thick = enlarge(framed[0], PLAIN._replace(pen=0.35)) < 128
    thin = enlarge(framed[0], PLAIN._replace(pen=0.55)) < 128
    assert thick.sum() > 1.1 * thin.sum()
    assert not (thin & ~thick).any()


@pytest.mark.parametrize(("left", "top"), [(0, 0), (1, 1), (0, 1)])
def test_the_symbol_stays_on_the_page_wherever_it_is_put(
    framed: np.ndarray, left: float, top: float
) -> None:
    whole = (enlarge(framed[0], PLAIN) < 128).sum()
    moved = (enlarge(framed[0], PLAIN._replace(left=left, top=top)) < 128).sum()
    assert moved == whole


def test_styles_are_within_their_ranges_and_vary() -> None:
    styles = [draw_style(np.random.default_rng(seed)) for seed in range(200)]
    assert {style.page_px for style in styles} <= set(range(200, 401))
    assert all(style.ink_px <= min(260, 0.9 * style.page_px) for style in styles)
    assert min(style.ink_px for style in styles) >= 120
    assert len({style.page_px for style in styles}) > 50


def test_page_is_a_png_of_the_same_pixels(framed: np.ndarray) -> None:
    page_HW = enlarge(framed[0], PLAIN)
    with Image.open(io.BytesIO(encode_page(page_HW))) as image:
        assert image.format == "PNG"
        np.testing.assert_array_equal(np.asarray(image), page_HW)
