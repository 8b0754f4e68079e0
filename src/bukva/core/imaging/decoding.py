"""From the bytes of an image file to its pixels, whatever its mode, alpha or EXIF turn."""

import io
from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image
from PIL.ImageFile import ImageFile
from PIL.PngImagePlugin import PngImageFile

from bukva.core.arrays import UInt8Array
from bukva.core.imaging.opening import DEEP_COLOURS, layout_of, open_image, to_bytes

_LONGEST_PX: Final = 2048
"""Longest side of what is returned: what has more is averaged down."""
_BAND_ROWS: Final = 64

_TURNS: Final[Mapping[int, Image.Transpose]] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What undoes each EXIF orientation (EXIF 2.32, section 4.6.4, tag 0x0112)."""

_LOWER_BYTES: Final[Mapping[str, str]] = {"RGB;16B": "RGB;16L", "RGBA;16B": "RGBA;16L"}
"""Of 16-bit colours Pillow gives the upper bytes; what it takes for them here is the lower ones."""


def decode_image(image: object, *, whole: bool = False) -> UInt8Array:
    """Decode an image file into pixels, dark and light as a person sees them.

    Alpha is composited on the ground, white or black, that visible ink stands out from; 16-bit
    values are scaled by the bits that are used; the EXIF turn is applied. Of the pictures in a
    photo the first is taken. A large one comes at a reduced scale: its longest side is at least
    900 px then, and at most 2048.

    Args:
        image: The bytes of a PNG, JPEG or WebP file, at most `MAX_IMAGE_BYTES`, in any form that
            `to_bytes` knows.
        whole: Whether a large one comes in all its pixels, as a page that lines are cut from.

    Returns:
        uint8, grey `(H, W)`, or RGB `(H, W, 3)` if a pixel has a colour: see `to_grey`.

    Raises:
        UnsupportedFormatError: If the bytes are of no allowed format.
        ImageTooLargeError: If bytes, pixels, scans or a side exceed their cap; nothing was decoded
            then.
        ImageDecodeError: If the file is broken or animated, or there is none.
    """
    encoded = to_bytes(image)
    with open_image(encoded, whole=whole) as opened:
        return _to_pixels(opened, encoded, max(opened.size) if whole else _LONGEST_PX)


def to_grey(pixels: UInt8Array) -> UInt8Array:
    """Return what `decode_image` returns in grey `(H, W)`, by the luma of ITU-R 601."""
    return pixels if pixels.ndim == 2 else np.asarray(Image.fromarray(pixels).convert("L"))


def to_pixels(image: Image.Image) -> UInt8Array:
    """Return the pixels of an upright image of 8 bits a value, as `decode_image` does."""
    small = _drop_false_colour(_shrink(image, _LONGEST_PX))
    if small.mode[-1] == "A":
        small = _drop_false_colour(_composite(small))
    return np.array(small)


def _to_pixels(image: ImageFile, encoded: bytes, longest_px: int) -> UInt8Array:
    """Return the pixels of an opened image, upright and without alpha."""
    small = _drop_false_colour(_shrink(_reduce_to_8_bits(image, encoded), longest_px))
    upright = _turn_upright(small, image)
    if upright.mode[-1] == "A":
        upright = _drop_false_colour(_composite(upright))
    return np.asarray(upright)


def _shrink(image: Image.Image, longest_px: int) -> Image.Image:
    """Return an image as L, LA, RGB or RGBA; a large one averaged down."""
    mode = "L" if image.mode in ("1", "L", "LA") else "RGB"
    if image.has_transparency_data:
        mode += "A"
    factor = -(-max(image.size) // longest_px)
    if factor == 1:
        return image.convert(mode)
    width, height = image.size
    small = Image.new(mode, (-(-width // factor), -(-height // factor)))
    # A band at a time: all of it in another mode would take as much memory once more.
    for top in range(0, small.height, _BAND_ROWS):
        rows = (top * factor, min((top + _BAND_ROWS) * factor, height))
        band = image.crop((0, rows[0], width, rows[1])).convert(mode)
        small.paste(band.reduce(factor), (0, top))
    return small


def _drop_false_colour(image: Image.Image) -> Image.Image:
    """Return an image in grey if it has no other colours, as most files have none."""
    if image.mode not in ("RGB", "RGBA"):
        return image
    red, green, blue, *alpha = image.split()
    if not red.tobytes() == green.tobytes() == blue.tobytes():
        return image
    return Image.merge("LA", (red, *alpha)) if alpha else red


def _turn_upright(pixels: Image.Image, image: Image.Image) -> Image.Image:
    """Return pixels of an image the way up that its EXIF says."""
    # Not by `ImageOps.exif_transpose`, which writes EXIF anew and fails on broken ones.
    turn = _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    return pixels if turn is None else pixels.transpose(turn)


def _reduce_to_8_bits(image: ImageFile, encoded: bytes) -> Image.Image:
    """Return an image as it is, or one of 16 bits a value scaled by the bits that it uses."""
    layout = layout_of(image)
    if layout == "I;16B":
        return Image.fromarray(_scale_to_8_bits(np.asarray(image), encoded))
    if layout not in DEEP_COLOURS:
        return image
    upper_HWC = np.array(image)
    colour_and_alpha = (slice(3), slice(3, 4))[: upper_HWC.shape[2] - 2]
    faint = [group for group in colour_and_alpha if upper_HWC[..., group].max() < 128]
    if not faint:
        return image
    values_HWC = _read_16_bits(upper_HWC, layout, encoded)
    for group in faint:
        upper_HWC[..., group] = _scale_to_8_bits(values_HWC[..., group], encoded)
    return Image.fromarray(upper_HWC)


def _read_16_bits(upper_HWC: UInt8Array, layout: str, encoded: bytes) -> NDArray[np.uint16]:
    """Return the values of which Pillow gave the upper bytes: it reads the others on request."""
    with PngImageFile(io.BytesIO(encoded)) as image:
        asked = _LOWER_BYTES.get(layout, "RGBA")
        image.tile = [tile._replace(args=asked) for tile in image.tile]
        read_HWC = np.asarray(image)
    values_HWC: NDArray[np.uint16]
    if layout in _LOWER_BYTES:
        values_HWC = upper_HWC.astype(np.uint16) << 8 | read_HWC
    else:
        # Two bytes of grey and two of alpha, which were taken for four of colour.
        values_HWC = read_HWC.view(">u2")[..., [0, 0, 0, 1]]
    return values_HWC


def _scale_to_8_bits(values: NDArray[np.uint16], png: bytes) -> UInt8Array:
    """Scale by the bits that are used: as the file says, or as many as its largest value has.

    What a file says holds only if its values fit: PNG has them scaled to all 16 bits.
    """
    largest = int(values.max())
    bits = max(8, largest.bit_length())
    if said := _find_significant_bits(png):
        bits = min((count for count in said if largest < 1 << count), default=16)
    scaled: UInt8Array = np.empty(values.shape, dtype=np.uint8)
    # A part at a time: all of them as float64 would take eight times the memory of the picture.
    factor = 255.0 / ((1 << bits) - 1)
    return np.multiply(values, factor, out=scaled, dtype=np.float64, casting="unsafe")


def _find_significant_bits(png: bytes) -> list[int]:
    """Return what the chunk sBIT says of each channel; nothing where there is none."""
    place = 8
    while (name := png[place + 4 : place + 8]) not in (b"IDAT", b""):
        size = int.from_bytes(png[place : place + 4])
        if name == b"sBIT":
            return [count for count in png[place + 8 : place + 8 + size] if 0 < count <= 16]
        place += 12 + size
    return []


def _composite(image: Image.Image) -> Image.Image:
    """Lay the visible pixels on white or on black."""
    colours, alpha = image.convert(image.mode[:-1]), image.getchannel("A")
    ground = "white" if _belongs_on_white(image) else "black"
    composited = Image.new(colours.mode, image.size, ground)
    composited.paste(colours, mask=alpha)
    return composited


def _belongs_on_white(image: Image.Image) -> bool:
    """Return whether visible ink stands out from white, or a visible page goes on in white.

    A page is what covers most of the image and holds both tones: a scan with clear corners.
    """
    grey_HW, alpha_HW = np.asarray(image.convert("LA"), dtype=np.float32).transpose(2, 0, 1)
    visible = float(alpha_HW.sum())
    is_light = visible > 0 and float((grey_HW * alpha_HW).sum()) >= 128 * visible
    opaque_N = grey_HW[alpha_HW > 250]
    is_page = 2 * opaque_N.size > grey_HW.size and float(np.ptp(opaque_N)) > 128
    return is_light == is_page
