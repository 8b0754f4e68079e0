import io
import struct
import subprocess
import sys
import time
import zlib

import numpy as np
import pytest
from found_images import DEEP, FOUND, GREY_HW, PHOTOS, photo
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from image_files import chunk, deep_png, with_right_checksums
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from bukva.core.imaging.decoding import decode_image, to_grey
from bukva.core.imaging.opening import MAX_IMAGE_BYTES, MAX_SIDE_PX, PNG
from bukva.errors import (
    EmptyImageError,
    ImageDecodeError,
    ImageError,
    ImageTooLargeError,
    TooDarkError,
    UnsupportedFormatError,
)
from bukva.tasks.glyph.preprocessing import preprocess

ORIENTATION = 0x0112


def encode(image, format_="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, format_, **options)
    return buffer.getvalue()


def draw_page():
    """Return a page, wider than high, with a sign that no turn maps onto itself."""
    page = np.full((90, 120), 255, dtype=np.uint8)
    page[20:70, 50:56] = 0
    page[20:26, 50:80] = 0
    page[44:50, 50:68] = 60
    return page


PAGE = draw_page()
IMAGE = Image.fromarray(PAGE)


def with_alpha(grey, alpha):
    """Return ink of one grey level whose shape is in the alpha channel alone."""
    return Image.merge("LA", (Image.new("L", IMAGE.size, grey), Image.fromarray(alpha)))


def with_clear_colour():
    image = IMAGE.point(lambda grey: 255 if grey > 128 else 0).convert("P")
    return encode(image, transparency=image.getpixel((0, 0)))


def with_turn(orientation, format_="JPEG"):
    """Return a file whose pixels lie turned, and whose EXIF says how."""
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return encode(IMAGE.transpose(undo[orientation]), format_, exif=exif)


def interlaced():
    """Return an Adam7 PNG, which Pillow reads and does not write."""
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
              (0, 1, 1, 2)]  # fmt: skip
    rows = b"".join(b"\0" + row.tobytes() for x, y, dx, dy in passes for row in PAGE[y::dy, x::dx])
    return png(*IMAGE.size, depth=8, colour=0, rows=rows, interlace=1)


def png(width, height, *, depth=8, colour=0, rows=b"", interlace=0):
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


INK = 255 - PAGE
TWINS = {
    "L": encode(IMAGE),
    "inverted L": encode(Image.fromarray(INK)),
    "P": encode(IMAGE.convert("P")),
    "RGB": encode(IMAGE.convert("RGB")),
    "RGB with a clear colour": encode(IMAGE.convert("RGB"), transparency=(255, 255, 255)),
    "LA, opaque": encode(IMAGE.convert("LA")),
    "LA, ink on clear": encode(with_alpha(0, INK)),
    "RGBA, opaque": encode(IMAGE.convert("RGBA")),
    "RGBA, black ink on clear": encode(with_alpha(0, INK).convert("RGBA")),
    "RGBA, white ink on clear": encode(with_alpha(255, INK).convert("RGBA")),
    "I;16": encode(Image.fromarray(PAGE.astype(np.uint16) * 257)),
    "interlaced": interlaced(),
    "JPEG": encode(IMAGE, "JPEG", quality=95),
    "progressive JPEG": encode(IMAGE, "JPEG", quality=95, progressive=True),
    "RGB JPEG": encode(IMAGE.convert("RGB"), "JPEG", quality=95),
    "CMYK JPEG": encode(IMAGE.convert("RGB").convert("CMYK"), "JPEG", quality=95),
    "WebP": encode(IMAGE, "WEBP", lossless=True),
    "lossy WebP": encode(IMAGE, "WEBP", quality=95),
    "WebP, ink on clear": encode(with_alpha(0, INK).convert("RGBA"), "WEBP", lossless=True),
} | {f"EXIF turn {turn}": with_turn(turn) for turn in range(2, 9)}
TWINS |= {f"EXIF turn {turn} in PNG": with_turn(turn, "PNG") for turn in (3, 6)}
TWO_TONES = {
    "1": encode(IMAGE.convert("1", dither=Image.Dither.NONE)),
    "1 with a clear colour": encode(IMAGE.convert("1", dither=Image.Dither.NONE), transparency=1),
    "P with a clear colour": with_clear_colour(),
}


def read_grey(encoded):
    return to_grey(decode_image(encoded))


def difference(encoded, expected):
    """Return the largest difference of two framed symbols, 0..1, and of their page features."""
    found = preprocess(read_grey(encoded))
    pixels = np.abs(found.image_HW.astype(float) - expected.image_HW).max() / 255
    return pixels, np.abs(found.page_F - expected.page_F).max()


@pytest.mark.parametrize("name", TWINS)
def test_the_same_page_in_any_mode_gives_the_same_symbol(name):
    pixels, page = difference(TWINS[name], preprocess(PAGE))
    assert pixels < 0.1
    assert page < 0.01


@pytest.mark.parametrize("name", TWO_TONES)
def test_the_same_page_in_two_tones_gives_the_same_symbol(name):
    two_tones = np.where(PAGE > 128, 255, 0).astype(np.uint8)
    assert difference(TWO_TONES[name], preprocess(two_tones)) == (0, 0)


@pytest.mark.parametrize("mode", ["L", "P", "RGB", "RGBA", "LA", "1"])
def test_a_file_without_loss_gives_its_very_pixels(mode):
    pixels = decode_image(encode(Image.fromarray(PAGE > 128).convert(mode)))
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels, np.where(PAGE > 128, 255, 0))


def test_a_turn_that_exif_does_not_know_is_no_turn():
    exif = Image.Exif()
    exif[ORIENTATION] = 9
    np.testing.assert_array_equal(decode_image(encode(IMAGE, exif=exif)), PAGE)


def test_broken_exif_beside_a_turn_harms_nothing():
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    exif[0x010F] = "maker"
    turned = encode(IMAGE.transpose(Image.Transpose.ROTATE_90), exif=exif)
    # The maker's name becomes a resolution, which is not to be text.
    start = turned.index(b"eXIf")
    size = struct.unpack(">I", turned[start - 4 : start])[0]
    maker, resolution = b"\x01\x0f\x00\x02", b"\x01\x1a\x00\x02"
    body = turned[start : start + 4 + size].replace(maker, resolution)
    assert resolution in body
    checksum = struct.pack(">I", zlib.crc32(body))
    broken = turned[:start] + body + checksum + turned[start + 8 + size :]
    np.testing.assert_array_equal(decode_image(broken), PAGE)


@pytest.mark.parametrize("polarity", [0, 255])
def test_clear_corners_of_a_page_are_no_ink(polarity):
    page = PAGE ^ polarity
    alpha = np.full_like(page, 255)
    alpha[:12, :12] = alpha[-12:, -12:] = 0
    image = Image.merge("LA", (Image.fromarray(page), Image.fromarray(alpha)))
    assert difference(encode(image), preprocess(PAGE)) == (0, 0)


def test_dark_ink_that_fills_most_of_a_clear_image_is_ink():
    alpha = np.zeros((40, 20), dtype=np.uint8)
    alpha[2:38, 4:18] = 255
    ink = Image.merge("LA", (Image.new("L", (20, 40), 30), Image.fromarray(alpha)))
    assert decode_image(encode(ink))[20, 10] == 30
    assert decode_image(encode(ink))[0, 0] == 255


BLANKS = {
    "white": Image.new("L", (50, 50), 255),
    "black": Image.new("L", (50, 50), 0),
    "clear": Image.new("RGBA", (50, 50), (0, 0, 0, 0)),
    "clear white": Image.new("RGBA", (50, 50), (255, 255, 255, 0)),
    "16-bit": Image.fromarray(np.full((50, 50), 65535, dtype=np.uint16)),
    "palette": Image.new("P", (50, 50), 3),
    "one pixel": Image.new("L", (1, 1), 0),
}


@pytest.mark.parametrize("name", BLANKS)
def test_a_blank_image_is_empty(name):
    is_dark = name in ("black", "palette", "one pixel")
    with pytest.raises(TooDarkError if is_dark else EmptyImageError):
        preprocess(read_grey(encode(BLANKS[name])))


@pytest.mark.parametrize("name", FOUND)
def test_the_same_page_as_others_write_it_gives_the_same_symbol(name):
    pixels, page = difference(FOUND[name], preprocess(GREY_HW))
    # A palette has no tones between ink and nothing.
    assert pixels < (0.5 if "palette" in name else 0.1)
    assert page < 0.02


def test_a_photo_with_a_second_picture_is_one_to_pillow():
    """What is tested here is what phones write."""
    with Image.open(io.BytesIO(photo(IMAGE))) as image:
        assert (image.format, image.n_frames) == ("MPO", 2)


@pytest.mark.parametrize("form", [bytes, bytearray, memoryview, np.frombuffer, list])
def test_whatever_holds_the_bytes_is_read(form):
    held = form(TWINS["L"], np.uint8) if form is np.frombuffer else form(TWINS["L"])
    np.testing.assert_array_equal(decode_image(held), PAGE)
    np.testing.assert_array_equal(decode_image({"bytes": held, "path": "a.png"}), PAGE)


@pytest.mark.parametrize("nothing", [None, "text", 1.5, [300], ["a"], {"path": "a.png"}])
def test_what_holds_no_bytes_is_refused_by_its_type(nothing):
    with pytest.raises(ImageDecodeError, match="Expected the bytes of an image file, got"):
        decode_image(nothing)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_all_16_bits_are_read_as_they_always_were(channels):
    values = np.random.default_rng(3).integers(0, 65536, (9, 7, channels)).astype(np.uint16)
    eight_bits = (values >> 8).astype(np.uint8)
    if channels == 1:
        eight_bits = (values[..., 0] * (255.0 / 65535.0)).astype(np.uint8)
    encoded = encode(Image.fromarray(eight_bits))
    np.testing.assert_array_equal(decode_image(deep_png(values)), decode_image(encoded))


@pytest.mark.parametrize("said", [b"", b"\0", b"\xff", b"\x11\0\0\x07\x09"])
def test_nonsense_about_the_bits_harms_nothing(said):
    values = PAGE[..., None].astype(np.uint16) * 257
    np.testing.assert_array_equal(decode_image(deep_png(values, chunk(b"sBIT", said))), PAGE)


def animated(format_):
    frames = [Image.fromarray(np.roll(PAGE, shift, axis=1)) for shift in (10, 20)]
    return encode(IMAGE, format_, save_all=True, append_images=frames)


REFUSED = {
    "nothing": (b"", UnsupportedFormatError),
    "text": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", UnsupportedFormatError),
    "GIF": (encode(IMAGE, "GIF"), UnsupportedFormatError),
    "BMP": (encode(IMAGE, "BMP"), UnsupportedFormatError),
    "TIFF": (encode(IMAGE, "TIFF"), UnsupportedFormatError),
    "RIFF of another kind": (b"RIFF\x10\0\0\0WAVEfmt " + bytes(32), ImageDecodeError),
    "signature alone": (b"\x89PNG\r\n\x1a\n", ImageDecodeError),
    "PNG cut in half": (TWINS["L"][: len(TWINS["L"]) // 2], ImageDecodeError),
    "JPEG cut in half": (TWINS["JPEG"][: len(TWINS["JPEG"]) // 2], ImageDecodeError),
    "WebP cut in half": (TWINS["WebP"][: len(TWINS["WebP"]) // 2], ImageDecodeError),
    "PNG with broken pixels": (png(120, 90, rows=b"\0" * 500), ImageDecodeError),
    "PNG without a palette": (png(4, 4, colour=3, rows=b"\0" * 20), ImageDecodeError),
    "PNG without a side": (png(0, 5), ImageDecodeError),
    "animated PNG": (animated("PNG"), ImageDecodeError),
    "animated WebP": (animated("WEBP"), ImageDecodeError),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_readable_picture_is_refused_by_its_kind(name):
    encoded, error = REFUSED[name]
    with pytest.raises(ImageDecodeError) as refusal:
        decode_image(encoded)
    assert refusal.type is error


BOMBS = {
    "60,000 a side": png(60_000, 60_000),
    "as large as PNG allows": png(2**31 - 1, 2**31 - 1),
    "long and thin": png(2**31 - 1, 1),
    "just too many pixels": png(4001, 4000),
    "just too long": png(MAX_SIDE_PX + 1, 1),
}


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_bomb_is_refused_by_its_header(name):
    started_s = time.perf_counter()
    with pytest.raises(ImageTooLargeError, match=f"at most {PNG.pixels} pixels"):
        decode_image(BOMBS[name])
    # Its pixels are not there: had they been asked for, the error would be another.
    assert time.perf_counter() - started_s < 0.5


def test_a_file_with_too_many_bytes_is_refused_unread():
    with pytest.raises(ImageTooLargeError, match=f"at most {MAX_IMAGE_BYTES} bytes"):
        decode_image(TWINS["L"] + bytes(MAX_IMAGE_BYTES))


def test_the_largest_allowed_picture_is_read():
    page = np.full((4000, 4000), 255, dtype=np.uint8)
    page[1000:3000, 1800:2200] = 0
    assert page.size == PNG.pixels
    np.testing.assert_array_equal(decode_image(encode(Image.fromarray(page))), page[::2, ::2])


def test_no_other_reader_is_loaded():
    """Each is code that hostile bytes could reach; and loading all of them takes long."""
    program = (
        "import sys; from bukva.core.imaging.decoding import decode_image\n"
        "try: decode_image(b'RIFF')\n"
        "except ValueError: print('PIL.PsdImagePlugin' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout == b"False\n"


def read_or_refuse(encoded):
    try:
        pixels = decode_image(encoded)
    except ImageError:
        return
    assert pixels.ndim == 2 or pixels.shape[2:] == (3,)
    assert pixels.dtype == np.uint8


@given(
    start=st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF"]), rest=st.binary()
)
def test_any_bytes_are_read_or_refused(start, rest):
    read_or_refuse(start + rest)


def with_everything():
    """Return files with the parts that break in the most ways: EXIF, text, palettes, profiles."""
    exif = Image.Exif()
    exif[ORIENTATION], exif[0x010F] = 6, "maker"
    exif[0x8769] = {0x9003: "2026:01:01 00:00:00", 0xA002: 120}
    text = PngInfo()
    text.add_text("title", "a", zip=True)
    text.add_itxt("title", "a", "uk", "назва", zip=True)
    return [
        encode(IMAGE, exif=exif, pnginfo=text, icc_profile=bytes(40)),
        encode(IMAGE, "JPEG", exif=exif, progressive=True),
        encode(IMAGE.convert("RGBA"), "WEBP", exif=exif),
        TWO_TONES["P with a clear colour"],
        TWINS["CMYK JPEG"],
        TWINS["I;16"],
        *PHOTOS.values(),
        *DEEP.values(),
    ]


@pytest.mark.filterwarnings("ignore")  # Pillow tells of each oddity that it survives
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    encoded=st.sampled_from(with_everything()),
    changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=6),
    is_near_start=st.booleans(),
)
def test_a_file_with_changed_bytes_is_read_or_refused(encoded, changes, is_near_start):
    broken = bytearray(encoded)
    reach = min(300, len(broken)) if is_near_start else len(broken)
    for share, value in changes:
        broken[int(share * (reach - 1))] = value
    read_or_refuse(bytes(broken))
    read_or_refuse(with_right_checksums(bytes(broken)))
