"""One page in files as phones, editors and programs write them: all show the same symbol."""

import io
from typing import Any

import numpy as np
from image_files import chunk, deep_png
from PIL import ExifTags, Image

from bukva.tasks.glyph.strokes.writing import draw_symbol

SYMBOL = "Ю"
GREY_HW = draw_symbol(SYMBOL, np.random.default_rng(4))
PAGE = Image.fromarray(GREY_HW)
INK = Image.fromarray(255 - GREY_HW)


def encode(image: Image.Image, format_: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format_, **options)
    return buffer.getvalue()


def photo(*others: Image.Image, turn: int = 1) -> bytes:
    """A JPEG with further pictures, as phones write them (CIPA DC-007)."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = turn
    first = PAGE.transpose(Image.Transpose.ROTATE_90) if turn == 6 else PAGE
    return encode(first.convert("RGB"), "MPO", save_all=True, append_images=others, exif=exif)


def clear(grey: int) -> Image.Image:
    """Ink of one tone on nothing."""
    ink = Image.new("L", PAGE.size, grey)
    return Image.merge("RGBA", (ink, ink, ink, INK))


def clear_palette() -> bytes:
    """White ink on nothing, in the two colours of a palette."""
    image = INK.point(lambda grey: grey > 128).convert("P")
    image.putpalette([255, 255, 255] * 256)
    return encode(image, transparency=bytes([0] + [255] * 255))


def said(*bits: int) -> bytes:
    """The chunk in which a PNG says how many bits its channels use."""
    return chunk(b"sBIT", bytes(bits))


DEPTH_MAP = Image.linear_gradient("L").resize((60, 40))
GREY_HW1 = GREY_HW[..., None].astype(np.uint16)
COLOUR_HW3 = np.repeat(GREY_HW1, 3, axis=2)
OPAQUE_HW1 = np.full_like(GREY_HW1, 65535)
CUT = photo(DEPTH_MAP)[: photo(DEPTH_MAP).rindex(b"\xff\xd8\xff") + 100]

PHOTOS = {
    "photo with a depth map.jpg": photo(DEPTH_MAP),
    "photo with a gain map and a view.jpg": photo(INK.convert("RGB").resize((90, 90)), INK),
    "turned photo with a depth map.jpg": photo(DEPTH_MAP, turn=6),
    "photo whose depth map was cut off.jpg": CUT,
    "photo with a film behind it.jpg": photo(DEPTH_MAP) + b"\0\0\0\x18ftypmp42" + bytes(500),
}
CLEAR = {
    "white on clear.png": encode(clear(255)),
    "white on clear.webp": encode(clear(255), "WEBP", lossless=True),
    "white on clear in a palette.png": clear_palette(),
    "grey on clear.png": encode(clear(200)),
    "black on clear.png": encode(clear(0)),
}
DEEP = {
    "10 of 16 bits.png": deep_png(GREY_HW1 * 4),
    "12 of 16 bits, as it says.png": deep_png(GREY_HW1 * 16, said(12)),
    "12 of 16 bits in colour.png": deep_png(COLOUR_HW3 * 16),
    "10 of 16 bits, opaque.png": deep_png(np.dstack([GREY_HW1 * 4, OPAQUE_HW1])),
    "10 of 16 bits, alpha too.png": deep_png(
        np.dstack([np.full_like(COLOUR_HW3, 1023), (255 - GREY_HW1) * 4]), said(10, 10, 10, 10)
    ),
    "16 bits, 12 of them said.png": deep_png(GREY_HW1 * 257, said(12)),
}
FOUND = PHOTOS | CLEAR | DEEP
