"""Photos and scans of ordinary size are read, within bounds on memory and time."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from image_files import deep_png
from photos import A4_300_DPI, INK, in_separate_scans, photograph, with_scans, written
from PIL import ExifTags, Image

from bukva.core.imaging.decoding import decode_image, to_grey
from bukva.core.imaging.opening import JPEG, MAX_SCANS, PNG, WEBP, WHOLE_JPEG
from bukva.errors import ImageTooLargeError

CHILD = Path(__file__).parents[2] / "helpers" / "measure_decoding.py"
PHONE, LARGE = (4000, 3000), (8000, 6000)


class Photo(NamedTuple):
    """A file, the shape of what is read in it, and the bounds on what that takes."""

    make: Callable[[], bytes]
    shape: list[int]
    peak_mb: int
    seconds: float = 1.0  # three times what one core of a laptop takes


PHOTOS = {
    "12 MP JPEG": Photo(written(PHONE, "JPEG", quality=92), [750, 1000, 3], 40, 0.3),
    "12 MP JPEG in grey": Photo(written(PHONE, "JPEG", "L", quality=92), [750, 1000], 40, 0.3),
    "12 MP CMYK JPEG": Photo(written(PHONE, "JPEG", "CMYK"), [750, 1000, 3], 40, 0.6),
    "12 MP progressive JPEG": Photo(
        written(PHONE, "JPEG", progressive=True, subsampling=0), [750, 1000, 3], 110
    ),
    "48 MP JPEG": Photo(written(LARGE, "JPEG", quality=88), [750, 1000, 3], 40),
    "A4 at 300 dpi": Photo(written(A4_300_DPI, "PNG", compress_level=1), [1754, 1240, 3], 90),
    "A4 in grey": Photo(written(A4_300_DPI, "PNG", "L", compress_level=1), [1754, 1240], 40),
    "A4 of one bit a pixel": Photo(written(A4_300_DPI, "PNG", "1"), [1754, 1240], 40),
    "A4 with a palette": Photo(written(A4_300_DPI, "PNG", "P"), [1754, 1240, 3], 60),
    "A4 with alpha": Photo(written(A4_300_DPI, "PNG", "RGBA"), [1754, 1240, 3], 110),
    "12 MP WebP": Photo(written(PHONE, "WEBP", method=0), [1500, 2000, 3], 240, 1.5),
}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the peak is in other units")
@pytest.mark.parametrize("photo", PHOTOS.values(), ids=PHOTOS)
def test_a_photo_is_read_within_its_bounds(photo: Photo, tmp_path: Path) -> None:
    path = tmp_path / "photo"
    path.write_bytes(photo.make())
    done = subprocess.run([sys.executable, CHILD, path], capture_output=True, check=True)
    shape, peak_mb, seconds = json.loads(done.stdout)
    assert shape == photo.shape
    assert peak_mb < photo.peak_mb
    assert seconds < photo.seconds


def test_the_colour_of_ink_is_kept() -> None:
    for make in (written(PHONE, "JPEG", quality=92), written(PHONE, "JPEG", "CMYK", quality=95)):
        pixels_HWC = decode_image(make())
        np.testing.assert_allclose(pixels_HWC[375, 520], INK, atol=14)


def test_grey_is_what_pillow_makes_of_colours() -> None:
    photo = photograph(300, 400)
    pixels_HWC = decode_image(written((300, 400), "PNG")())
    np.testing.assert_array_equal(pixels_HWC, np.asarray(photo))
    np.testing.assert_array_equal(to_grey(pixels_HWC), np.asarray(photo.convert("L")))
    assert to_grey(to_grey(pixels_HWC)).shape == (400, 300)


def test_a_large_photo_is_turned_upright_too() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    assert decode_image(written(PHONE, "JPEG", exif=exif)()).shape == (1000, 750, 3)


@pytest.mark.parametrize(
    ("sides", "shape"),
    [((900, 600), (600, 900)), ((1799, 40), (40, 1799)), ((1800, 40), (20, 900)),
     ((11_999, 8), (1, 1500))],
)  # fmt: skip
def test_a_jpeg_is_reduced_as_long_as_900_pixels_are_left(
    sides: tuple[int, int], shape: tuple[int, int]
) -> None:
    page = Image.new("L", sides, 200)
    assert decode_image(_encode(page, "JPEG")).shape == shape


def test_a_scan_is_averaged_down_and_its_last_rows_are_there() -> None:
    page = np.full((3001, 2999), 255, dtype=np.uint8)
    page[2900:] = 0
    pixels_HW = decode_image(_encode(Image.fromarray(page), "PNG"))
    assert pixels_HW.shape == (1501, 1500)
    assert (pixels_HW[:1450] == 255).all()
    assert (pixels_HW[1450:] == 0).all()


def test_clear_parts_of_a_large_scan_do_not_stain_what_is_seen() -> None:
    """Averaged with what is hidden under clear pixels, ink would be another colour at its edge."""
    rgba_HWC = np.zeros((2600, 2600, 4), dtype=np.uint8)
    rgba_HWC[..., 1] = 255  # hidden green
    rgba_HWC[701:1901, 1001:1101] = (*INK, 255)
    pixels_HWC = decode_image(_encode(Image.fromarray(rgba_HWC), "PNG"))
    assert tuple(pixels_HWC[600, 525]) == INK
    assert (pixels_HWC[0, 0] == 255).all()
    edge = pixels_HWC[600, 500].astype(int)
    assert edge[1] <= edge[2], "as white and blue give it, without green"


TOO_LARGE = {
    JPEG: lambda: _encode(Image.new("L", (10_000, 6010)), "JPEG"),
    WHOLE_JPEG: lambda: _encode(Image.new("L", (4000, 4010)), "JPEG", progressive=True),
    PNG: lambda: _encode(Image.new("1", (4000, 4010)), "PNG"),
    WEBP: lambda: _encode(Image.new("RGB", (3610, 3610)), "WEBP"),
}


@pytest.mark.parametrize("cap", TOO_LARGE, ids=lambda cap: cap.kind)
def test_what_is_too_large_is_told_how_large_it_may_be_and_what_to_do(cap) -> None:
    expected = rf"at most {cap.pixels} pixels in {cap.kind} and .* got \d+ x \d+\. {cap.advice}\."
    with pytest.raises(ImageTooLargeError, match=expected):
        decode_image(TOO_LARGE[cap]())


def test_16_bit_colours_may_be_fewer() -> None:
    deep = deep_png(np.zeros((2000, 2001, 3), dtype=np.uint16))
    with pytest.raises(ImageTooLargeError, match=r"of 16-bit colours .* Save it with 8 bits"):
        decode_image(deep)


def test_a_jpeg_that_is_kept_whole_without_being_progressive_has_the_lower_cap() -> None:
    jpeg = written(LARGE, "JPEG")()
    with pytest.raises(ImageTooLargeError, match="in a progressive JPEG"):
        decode_image(in_separate_scans(jpeg))


def test_scans_without_end_are_refused_before_the_first_is_read() -> None:
    """Each goes through all pixels, and takes ten bytes: a minute's work in a small file."""
    jpeg = _encode(Image.new("RGB", (640, 480), INK), "JPEG", progressive=True)
    assert decode_image(with_scans(jpeg, MAX_SCANS)).shape == (480, 640, 3)
    with pytest.raises(ImageTooLargeError, match=f"at most {MAX_SCANS} scans, got 5000"):
        decode_image(with_scans(jpeg, 5000))


def test_a_webp_that_announces_far_too_much_is_too_large() -> None:
    """Found by fuzzing: Pillow refuses it by an error of its own kind."""
    canvas = (2**24 - 1).to_bytes(3, "little") * 2
    small = _encode(Image.new("RGB", (8, 8)), "WEBP")
    body = b"WEBPVP8X" + (10).to_bytes(4, "little") + bytes(4) + canvas + small[12:]
    with pytest.raises(ImageTooLargeError, match="Scale it down"):
        decode_image(b"RIFF" + len(body).to_bytes(4, "little") + body)


def _encode(image: Image.Image, image_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()
