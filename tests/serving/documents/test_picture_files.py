"""A page of whatever file comes to its pixels, or to a clear error."""

import itertools
import struct
from contextlib import suppress

import numpy as np
import pytest
from document_pages import EMPTY_PDF, ENCRYPTED_PDF, bind, draw_page, encode_as, write_pdf
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from bukva.errors import ImageError, ImageTooLargeError
from bukva.serving.picture_files import MAX_PIXELS, read_page

PAGE = draw_page("handwritten")
GREY = np.asarray(PAGE)
SIXTEEN = Image.fromarray(GREY.astype(np.uint16) * 257)
TWELVE = Image.fromarray(GREY.astype(np.uint16) * 16)
G4 = {"compression": "group4"}
PHOTOMETRIC = 262

ALIKE = {
    "PNG": encode_as(PAGE),
    "JPEG in CMYK": encode_as(PAGE.convert("CMYK"), "JPEG", quality=95),
    "TIFF": encode_as(PAGE, "TIFF"),
    "TIFF in colours": encode_as(PAGE.convert("RGB"), "TIFF", compression="tiff_lzw"),
    "TIFF in CMYK": encode_as(PAGE.convert("CMYK"), "TIFF"),
    "TIFF with a palette": encode_as(PAGE.convert("P"), "TIFF"),
    "TIFF of 16 bits": encode_as(SIXTEEN, "TIFF"),
    "TIFF of 12 bits in 16": encode_as(TWELVE, "TIFF"),
    "TIFF of floats": encode_as(Image.fromarray(GREY.astype(np.float32) / 255), "TIFF"),
    "PNG of 16 bits": encode_as(SIXTEEN),
    "G4": encode_as(PAGE.convert("1"), "TIFF", **G4),
    "G4, white is 0": encode_as(PAGE.convert("1"), "TIFF", tiffinfo={PHOTOMETRIC: 0}, **G4),
    "G4, white is 1": encode_as(PAGE.convert("1"), "TIFF", tiffinfo={PHOTOMETRIC: 1}, **G4),
    "G4, the wrong way round": encode_as(ImageOps.invert(PAGE).convert("1"), "TIFF", **G4),
    "BigTIFF": encode_as(PAGE, "TIFF", big_tiff=True),
}


@pytest.mark.parametrize("name", ALIKE)
def test_files_of_one_page_are_read_alike(name):
    page = read_page(ALIKE[name])
    assert (page.pixels.shape, page.number, page.count) == (GREY.shape, 1, 1)
    assert np.abs(page.pixels.astype(int) - GREY).mean() < 1


def test_colours_stay():
    red = Image.new("RGB", (40, 30), (200, 30, 30))
    for kind in ("TIFF", "PDF"):
        pixels = read_page(encode_as(red, kind)).pixels
        assert pixels.ndim == 3
        assert np.abs(pixels[5, 5].astype(int) - (200, 30, 30)).max() < 4


@pytest.mark.parametrize("kind", ["TIFF", "PDF"])
def test_the_page_that_was_asked_for_is_read(kind):
    file = bind(kind, *(Image.new("L", (60, 40), 60 * number) for number in range(1, 4)))
    for number in (1, 2, 3):
        page = read_page(file, number)
        assert (page.number, page.count) == (number, 3)
        assert abs(int(page.pixels[20, 30]) - 60 * number) < 3


def test_a_page_of_a_pdf_is_set_at_200_dpi_and_at_most_2048_pixels():
    height, width = read_page(encode_as(PAGE, "PDF", resolution=100)).pixels.shape
    assert (round(height / 10), width) == (96, 1280)
    assert max(read_page(encode_as(PAGE, "PDF", resolution=10)).pixels.shape) == 2048


@pytest.mark.parametrize(
    ("kind", "options"),
    [("PNG", {}), ("TIFF", {}), ("TIFF", G4), ("JPEG", {}), ("PDF", {})],
    ids=["PNG", "TIFF", "G4", "JPEG", "PDF"],
)
def test_a_scan_at_600_dpi_comes_smaller(kind, options):
    large = PAGE.resize((4961, 7016)).convert("1" if options else "L")
    pixels = read_page(encode_as(large, kind, **options)).pixels
    assert 1200 < max(pixels.shape) <= 2048
    assert pixels.min() < 100
    assert pixels.max() > 200


def chain(*links: int) -> bytes:
    """A TIFF whose directories, empty ones, lie at these places, each naming the next."""
    file = bytearray(b"II*\0" + struct.pack("<I", links[0]) + bytes(60))
    for place, after in itertools.pairwise(links):
        struct.pack_into("<HI", file, place, 0, after)
    return bytes(file)


LARGE = Image.new("1", (9000, 9000), 1)
REFUSED = {
    "nothing": (b"", "unsupported_format"),
    "a text": (b"page 1", "unsupported_format"),
    "a picture of another kind": (encode_as(PAGE, "BMP"), "unsupported_format"),
    "the head of a PNG": (ALIKE["PNG"][:20], "undecodable_image"),
    "half a TIFF": (ALIKE["TIFF in colours"][:2000], "undecodable_image"),
    "the head of a TIFF": (b"II*\0", "undecodable_image"),
    "a TIFF without pages": (b"II*\0\0\0\0\0", "page_missing"),
    "a TIFF that goes round": (chain(8, 20, 8), "undecodable_image"),
    "half a PDF": (encode_as(PAGE, "PDF")[:400], "undecodable_image"),
    "the head of a PDF": (b"%PDF-1.7", "undecodable_image"),
    "a PDF without pages": (EMPTY_PDF, "undecodable_image"),
    "a PDF with a password": (ENCRYPTED_PDF, "encrypted_document"),
    "a G4 of 81 megapixels": (encode_as(LARGE, "TIFF", **G4), "image_too_large"),
    "a PNG of 81 megapixels": (encode_as(LARGE), "image_too_large"),
    "a PDF with a picture of 81 megapixels": (encode_as(LARGE, "PDF"), "image_too_large"),
    "a TIFF with a side of 13,000": (
        encode_as(Image.new("1", (13_000, 20), 1), "TIFF", **G4), "image_too_large",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_named(name):
    file, code = REFUSED[name]
    with pytest.raises(ImageError) as caught:
        read_page(file)
    assert caught.value.code == code
    assert str(caught.value).startswith("Expected ")


@pytest.mark.parametrize("number", [0, 3])
@pytest.mark.parametrize("kind", ["TIFF", "PDF"])
def test_a_page_that_is_not_there_is_named(kind, number):
    with pytest.raises(ImageError, match=f"of the 2 in the file, got {number}"):
        read_page(bind(kind, PAGE, PAGE), number)


def test_tiles_larger_than_the_picture_are_not_made_room_for():
    file = bytearray(encode_as(PAGE, "TIFF", compression="tiff_lzw"))
    [directory] = struct.unpack_from("<I", file, 4)
    [entries] = struct.unpack_from("<H", file, directory)
    # What tells of strips now tells of tiles.
    tiled = {273: 324, 277: 323, 278: 322, 279: 325}
    for entry in range(entries):
        place = directory + 2 + 12 * entry
        [tag] = struct.unpack_from("<H", file, place)
        struct.pack_into("<H", file, place, tiled.get(tag, tag))
        if tag in (277, 278):
            struct.pack_into("<HII", file, place + 2, 4, 1, 60_000)
    with pytest.raises(ImageTooLargeError, match="60000 x"):
        read_page(bytes(file))


def test_the_cap_holds_a_page_of_a4_at_600_dpi():
    assert MAX_PIXELS > 4961 * 7016


@pytest.mark.parametrize("file", [ALIKE["G4"], bind("TIFF", PAGE, PAGE), bind("PDF", PAGE, PAGE)])
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_damaged_file_is_read_or_refused(file, data):
    damaged = bytearray(file)
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(file) - 1))] = data.draw(st.integers(0, 255))
    with suppress(ImageError):
        assert read_page(bytes(damaged)).pixels.size


def test_an_empty_pdf_after_an_encrypted_one_is_not_called_encrypted():
    for file in (ENCRYPTED_PDF, EMPTY_PDF):
        with pytest.raises(ImageError) as caught:
            read_page(file)
    assert "an empty one" in str(caught.value)


def test_a_pdf_of_no_content_is_a_white_page():
    file = write_pdf(
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 144 72] >>",
    )
    assert read_page(file).pixels.shape == (200, 400)
    assert read_page(file).pixels.min() == 255
