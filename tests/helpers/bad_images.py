"""Every kind of image that is broken, hostile or odd, and what is answered to it.

A kind has either the code of the problem that it gets, or a twin: a plain RGB file of the same
drawing, of which the same must be read. Files are made when they are asked for.
"""

import gzip
import io
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from image_files import (
    GREY,
    MIB,
    PALETTE,
    PNG_SIGNATURE,
    RGBA,
    after_header,
    chunk,
    chunks_of,
    flipped,
    full_png,
    interlaced_png,
    jpeg_of_size,
    png_end,
    png_header,
    without_chunk,
    zeros,
)
from PIL import Image
from serving_requests import encode

from bukva.tasks.glyph.strokes.writing import draw_symbol

UNDO_TURN = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
ORIENTATION = 0x0112
TAIL = b"<script>caller-wrote-this</script>"
WHITE, CLEAR = 255, (0, 0, 0, 0)


@dataclass(frozen=True)
class BadImage:
    """One kind.

    Attributes:
        group: As the kinds are counted.
        name: Unique among all.
        make: Returns the file.
        code: Of the problem that it gets, or None where it is read.
        twin: Returns the plain file of which the same is read.
    """

    group: str
    name: str
    make: Callable[[], bytes]
    code: str | None
    twin: Callable[[], bytes] | None = None


@cache
def page() -> Image.Image:
    """A drawn Ґ, which no turn or flip maps onto itself; one that the model is not sure of."""
    drawn = Image.fromarray(draw_symbol("Ґ", np.random.default_rng(16)))
    return drawn.convert("L")


@cache
def two_tones() -> Image.Image:
    return page().point(lambda grey: WHITE if grey > 128 else 0)


@cache
def plain() -> bytes:
    return encode(page().convert("RGB"))


@cache
def plain_two_tones() -> bytes:
    return encode(two_tones().convert("RGB"))


@cache
def plain_jpeg() -> bytes:
    return encode(page().convert("RGB"), "JPEG", quality=95)


def frames() -> list[Image.Image]:
    return [page().rotate(turn, fillcolor=WHITE) for turn in (90, 180)]


def animated(image_format: str) -> bytes:
    return encode(page(), image_format, save_all=True, append_images=frames())


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("page.html", TAIL)
    return buffer.getvalue()


def noise(count: int) -> bytes:
    return b"\0" + np.random.default_rng(5).bytes(count - 1)


def ink_on_clear() -> Image.Image:
    """Black ink whose shape is in the alpha channel alone: what a canvas without a ground gives."""
    image = Image.new("RGBA", page().size, CLEAR)
    image.putalpha(page().point(lambda grey: 255 - grey))
    return image


def turned(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return encode(page().convert("RGB").transpose(UNDO_TURN[orientation]), exif=exif)


def with_clear_ground() -> bytes:
    image = two_tones().convert("P")
    return encode(image, transparency=image.getpixel((0, 0)))


def in_16_bits() -> bytes:
    return encode(Image.fromarray(np.asarray(page()).astype(np.uint16) * 257))


def cut_in_pixels() -> bytes:
    start = plain().index(b"IDAT")
    return plain()[: start + 40]


def flipped_pixels() -> bytes:
    [place] = [(start + end) // 2 for name, start, end in chunks_of(plain()) if name == b"IDAT"]
    return flipped(plain(), place)


def apple_png() -> bytes:
    """A PNG as Xcode writes it: a chunk before the header, and no zlib header around the pixels."""
    [pixels] = [plain()[a + 8 : b - 4] for name, a, b in chunks_of(plain()) if name == b"IDAT"]
    apple = PNG_SIGNATURE + chunk(b"CgBI", b"\x50\0\x20\x02")
    return apple + plain()[8:33] + png_end(pixels[2:-4])


def packed_text(name: bytes, count: int) -> bytes:
    return after_header(plain(), chunk(name, b"a\0\0" + zeros(count)))


def many_texts() -> bytes:
    return after_header(plain(), *[chunk(b"tEXt", b"a\0%d" % i) for i in range(20_000)])


def more_pixels_than_announced() -> bytes:
    image = two_tones()
    rows = b"".join(
        b"\0" + bytes(image.crop((0, y, image.width, y + 1)).get_flattened_data())
        for y in range(image.height)
    )
    packer = zlib.compressobj(9)
    parts = [packer.compress(rows), *[packer.compress(bytes(MIB)) for _ in range(100)]]
    return png_header(*image.size) + png_end(b"".join([*parts, packer.flush()]))


def not_an_image() -> list[BadImage]:
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"/>'
    xxe = b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    files: dict[str, Callable[[], bytes]] = {
        "one byte": lambda: b"\x89",
        "random 1 KB": lambda: noise(1024),
        "random 1 MB": lambda: noise(MIB),
        "text": lambda: b"caller-wrote-this" * 10,
        "HTML": lambda: b"<html>" + TAIL,
        "pickle": lambda: pickle.dumps({"a": 1}),
        "zip": zipped,
        "gzip of a PNG": lambda: gzip.compress(plain()),
        "UTF-16 text": lambda: "буква".encode("utf-16"),
        "PDF": lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n",
        "SVG": lambda: svg,
        "SVG with an external entity": lambda: xxe + svg.replace(b"/>", b">&x;</svg>"),
    }
    group = "not an image"
    return [
        BadImage(group, "no bytes", lambda: b"", "missing_image"),
        BadImage(group, "PNG signature only", lambda: PNG_SIGNATURE, "undecodable_image"),
        *[BadImage(group, name, make, "unsupported_format") for name, make in files.items()],
    ]


def other_formats() -> list[BadImage]:
    huge_gif = b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0, 0, 0) + b"\x3b"
    files: dict[str, Callable[[], bytes]] = {
        "GIF": lambda: encode(page(), "GIF"),
        "animated GIF": lambda: animated("GIF"),
        "GIF of a huge canvas": lambda: huge_gif,
        "BMP": lambda: encode(page(), "BMP"),
        "TIFF": lambda: encode(page(), "TIFF"),
        "TIFF of several pages": lambda: animated("TIFF"),
        "ICO": lambda: encode(page(), "ICO"),
        "PPM": lambda: encode(page(), "PPM"),
        "AVIF": lambda: encode(page().convert("RGB"), "AVIF"),
        "JPEG 2000": lambda: encode(page(), "JPEG2000"),
        "EPS": lambda: encode(page(), "EPS"),
    }
    return [BadImage("other format", *item, "unsupported_format") for item in files.items()]


def parser_targets() -> list[BadImage]:
    psd = b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, 60_000, 60_000, 8, 3)
    fits = b"SIMPLE  =                    T".ljust(80) + b"END".ljust(2800)
    group = "parser target"
    return [
        BadImage(group, "PSD header", lambda: psd, "unsupported_format"),
        BadImage(group, "FITS header", lambda: fits, "unsupported_format"),
        BadImage(group, "CgBI PNG", apple_png, "undecodable_image"),
    ]


def broken_files() -> list[BadImage]:
    bad_exif = chunk(b"eXIf", b"II*\0\xff\xff\xff\xffnonsense")
    no_palette = png_header(8, 8, 8, PALETTE) + png_end(zlib.compress(bytes(72)))
    files: dict[str, Callable[[], bytes]] = {
        "cut in its pixels": cut_in_pixels,
        "PNG cut in half": lambda: plain()[: len(plain()) // 2],
        "flipped byte in its pixels": flipped_pixels,
        "wrong checksum of the header": lambda: flipped(plain(), 32),
        "no width": lambda: png_header(0, 5) + png_end(zlib.compress(b"")),
        "no side": lambda: png_header(0, 0) + png_end(zlib.compress(b"")),
        "palette mode without a palette": lambda: no_palette,
        "JPEG cut in half": lambda: plain_jpeg()[: len(plain_jpeg()) // 2],
    }
    read: dict[str, Callable[[], bytes]] = {
        "no end chunk": lambda: without_chunk(plain(), b"IEND"),
        "broken EXIF": lambda: after_header(plain(), bad_exif),
        "bytes after the end": lambda: plain() + bytes(1000),
    }
    return [BadImage("broken file", *item, "undecodable_image") for item in files.items()] + [
        BadImage("broken file", *item, None, plain) for item in read.items()
    ]


def bombs() -> list[BadImage]:
    largest = 2**31 - 1
    files: dict[str, Callable[[], bytes]] = {
        "60,000 a side": lambda: png_header(60_000, 60_000) + png_end(zeros(100)),
        "as large as PNG allows": lambda: png_header(largest, largest) + png_end(zeros(100)),
        "81 megapixels": lambda: full_png(9000, 9000),
        "169 megapixels of 1 bit": lambda: full_png(13_000, 13_000, 1),
        "17 megapixels with alpha": lambda: full_png(4000, 4200, 8, RGBA),
        "1 x 1,000,000": lambda: full_png(1, 1_000_000, 8, GREY),
        "1,000,000 x 1": lambda: full_png(1_000_000, 1, 8, GREY),
        "JPEG of 65,500 a side": lambda: jpeg_of_size(plain_jpeg(), 65_500, 65_500),
    }
    texts: dict[str, Callable[[], bytes]] = {
        "64 MB of packed text": lambda: packed_text(b"zTXt", 64 * MIB + 1),
        "64 MB of packed colour profile": lambda: packed_text(b"iCCP", 64 * MIB),
    }
    return [
        *[BadImage("bomb", *item, "image_too_large") for item in files.items()],
        *[BadImage("bomb", *item, "undecodable_image") for item in texts.items()],
        BadImage("bomb", "100 MB beyond its pixels", more_pixels_than_announced, None,
                 plain_two_tones),
    ]  # fmt: skip


def many_parts() -> list[BadImage]:
    group = "many parts"
    return [
        BadImage(group, "20,000 texts", many_texts, None, plain),
        BadImage(group, "animated PNG", lambda: animated("PNG"), "undecodable_image"),
        BadImage(group, "animated WebP", lambda: animated("WEBP"), "undecodable_image"),
    ]


def legal_but_odd() -> list[BadImage]:
    cmyk = page().convert("RGB").convert("CMYK")
    read: dict[str, Callable[[], bytes]] = {
        "grey": lambda: encode(page()),
        "palette": lambda: encode(page().convert("P")),
        "grey with alpha": lambda: encode(page().convert("LA")),
        "ink on a clear ground": lambda: encode(ink_on_clear()),
        "16 bits": in_16_bits,
        "CMYK JPEG": lambda: encode(cmyk, "JPEG", quality=95),
        "interlaced": lambda: interlaced_png(*page().size, page().tobytes()),
        "WebP": lambda: encode(page().convert("RGB"), "WEBP", quality=95),
    }
    in_two_tones: dict[str, Callable[[], bytes]] = {
        "one bit": lambda: encode(two_tones().convert("1")),
        "palette with a clear colour": with_clear_ground,
    }
    empty: dict[str, Callable[[], bytes]] = {
        "all clear": lambda: encode(Image.new("RGBA", (50, 50), CLEAR)),
        "one pixel": lambda: encode(Image.new("L", (1, 1), WHITE)),
        "blank page": lambda: encode(Image.new("L", (200, 200), WHITE)),
    }
    group = "legal but odd"
    return [
        *[BadImage(group, *item, None, plain) for item in read.items()],
        *[BadImage(group, *item, None, plain_two_tones) for item in in_two_tones.items()],
        *[
            BadImage(group, f"EXIF turn {turn}", lambda turn=turn: turned(turn), None, plain)
            for turn in UNDO_TURN
        ],
        *[BadImage(group, *item, "empty_image") for item in empty.items()],
        BadImage(group, "black", lambda: encode(Image.new("L", (90, 90))), "too_dark"),
    ]


def polyglots() -> list[BadImage]:
    group = "polyglot"
    return [
        BadImage(group, "HTML before a PNG", lambda: TAIL + plain(), "unsupported_format"),
        BadImage(group, "PNG and HTML", lambda: plain() + TAIL, None, plain),
        BadImage(group, "PNG and zip", lambda: plain() + zipped(), None, plain),
    ]


BAD_IMAGES = [
    *not_an_image(), *other_formats(), *parser_targets(), *broken_files(), *bombs(),
    *many_parts(), *legal_but_odd(), *polyglots(),
]  # fmt: skip
