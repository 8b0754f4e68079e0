"""Each image is framed by where it comes from, whatever stands beside it."""

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bukva.errors import ImageDecodeError, ImageError, TableError
from bukva.tasks.glyph import framing
from bukva.tasks.glyph.framing import frame_images, to_source
from bukva.tasks.glyph.preprocessing import Glyph, Preprocessing
from bukva.tasks.glyph.recogniser import Recogniser


def draw(tone: int = 0) -> np.ndarray:
    page = np.full((90, 120), 255, dtype=np.uint8)
    page[20:70, 50:60] = tone
    return page


def encode(page: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(page).save(buffer, "PNG")
    return buffer.getvalue()


def knows_page(framed: Glyph | ImageError) -> bool:
    assert isinstance(framed, Glyph)
    return not np.isnan(framed.page_F).any()


def test_on_a_photo_size_and_place_mean_nothing() -> None:
    image = encode(draw())
    framed = frame_images([image] * 2, ["drawing", "photo"], Preprocessing())
    assert [knows_page(each) for each in framed] == [True, False]


def test_images_of_all_sources_come_back_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """In portions as small as one image, too."""
    images = [encode(draw(tone)) for tone in (0, 40, 80, 120)] + [b"none"]
    sources = ["photo", "drawing", "photo", "drawing", None]
    for at_once in (1, 20_000, 16_000_000):
        monkeypatch.setattr(framing, "_VALUES_AT_ONCE", at_once)
        *framed, refused = frame_images(iter(images), iter(sources), Preprocessing())
        assert [knows_page(each) for each in framed] == [False, True, False, True]
        assert isinstance(refused, ImageDecodeError)


def test_pixels_in_colour_are_framed_as_the_file_is() -> None:
    colours = np.stack([draw(30), draw(60), draw(160)], axis=2)
    [of_pixels, of_file] = frame_images([colours, encode(colours)], None, Preprocessing())
    np.testing.assert_array_equal(of_pixels.image_HW, of_file.image_HW)


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA])
def test_a_source_that_is_missing_in_a_table_is_not_known(missing: object) -> None:
    assert to_source(missing) is None


def test_a_source_that_there_is_not_is_named() -> None:
    with pytest.raises(TableError, match=r"one of drawing, photo, or nothing, .* got 'scan'"):
        to_source("scan")


def test_a_table_says_where_each_image_comes_from(random_recogniser: Recogniser) -> None:
    images = pd.Series([encode(draw())] * 3)
    answers = random_recogniser.recognise(images, source=pd.Series(["drawing", "photo", None]))
    heights = [measures["height"] for measures in answers["measures"]]
    assert heights[0] is not None
    assert heights[1] is None
