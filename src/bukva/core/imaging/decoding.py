"""From the bytes of an image file to grey pixels, whatever its mode, alpha or EXIF turn."""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from bukva.core.arrays import Float32Array, UInt8Array
from bukva.errors import ImageDecodeError, ImageError, ImageTooLargeError, UnsupportedFormatError

# Not by `Image.open`: of a photo that holds a second picture (a depth map, a gain map) it makes a
# sequence of two. A JPEG's first picture is the picture, and its reader reads no other.
_READERS: Final[Mapping[bytes, type[ImageFile]]] = {
    b"\x89PNG\r\n\x1a\n": PngImageFile,
    b"\xff\xd8\xff": JpegImageFile,
    b"RIFF": WebPImageFile,
}
_FORMATS: Final = tuple(str(reader.format) for reader in _READERS.values())
MAX_IMAGE_BYTES: Final = 1_048_576
MAX_IMAGE_PIXELS: Final = 4_000_000
MAX_SIDE_PX: Final = 4096

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


def decode_image(image: object) -> UInt8Array:
    """Decode an image file into grey pixels, dark and light as a person sees them.

    Alpha is composited on the ground, white or black, that visible ink stands out from; 16-bit
    values are scaled by the bits that are used; the EXIF turn is applied. Of the pictures in a
    photo the first is taken.

    Args:
        image: The bytes of a PNG, JPEG or WebP file, at most `MAX_IMAGE_BYTES`, in any form that
            `to_bytes` knows.

    Returns:
        Grey pixels `(H, W)`, uint8.

    Raises:
        UnsupportedFormatError: If the bytes are of no allowed format.
        ImageTooLargeError: If bytes, pixels or a side exceed their cap; nothing was decoded then.
        ImageDecodeError: If the file is broken or animated, or there is none.
    """
    encoded = to_bytes(image)
    with open_image(encoded) as opened:
        return _to_grey(opened, encoded)


@contextmanager
def open_image(encoded: bytes) -> Iterator[ImageFile]:
    """Open an image file, of which nothing is decoded before its header was found harmless.

    Raises:
        ImageError: As `decode_image` does, also of what is decoded within the block.
    """
    if len(encoded) > MAX_IMAGE_BYTES:
        message = f"Expected an image of at most {MAX_IMAGE_BYTES} bytes, got {len(encoded)}."
        raise ImageTooLargeError(message)
    reader = next((_READERS[start] for start in _READERS if encoded.startswith(start)), None)
    if reader is None:
        raise UnsupportedFormatError(f"Expected an image file, one of {', '.join(_FORMATS)}.")
    try:
        with reader(io.BytesIO(encoded)) as opened:
            _check_header(opened)
            yield opened
    except ImageError:
        raise
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise ImageDecodeError("Expected a readable image file, got a broken one.") from error


def _check_header(image: Image.Image) -> None:
    width, height = image.size
    if width * height > MAX_IMAGE_PIXELS or max(width, height) > MAX_SIDE_PX:
        message = (
            f"Expected at most {MAX_IMAGE_PIXELS} pixels and {MAX_SIDE_PX} a side, "
            f"got {width} x {height}."
        )
        raise ImageTooLargeError(message)
    if getattr(image, "n_frames", 1) > 1:
        raise ImageDecodeError("Expected one picture, got an animation.")
    if image.mode == "P" and image.palette is None:
        raise ImageDecodeError("Expected a palette in an image of palette mode, got none.")


def to_bytes(image: object) -> bytes:
    """Return the bytes of an image file, in whatever form a program or a table holds them.

    Args:
        image: `bytes`; what gives its memory as they do, such as `bytearray`, `memoryview`, values
            and buffers of Arrow and arrays of bytes; a list of them; or a mapping that has any of
            these as `bytes`, as a row of Hugging Face's tables does.

    Raises:
        ImageDecodeError: If it holds no bytes.
    """
    if isinstance(image, bytes):
        return image
    held: Any = image.get("bytes") if isinstance(image, Mapping) else image
    try:
        return bytes(held if isinstance(held, list) else memoryview(held))
    except (TypeError, ValueError) as error:
        message = f"Expected the bytes of an image file, got {type(held).__name__}."
        raise ImageDecodeError(message) from error


def _to_grey(image: ImageFile, encoded: bytes) -> UInt8Array:
    """Return an opened image as grey pixels `(H, W)`, uint8, upright and without alpha."""
    shallow = _reduce_to_8_bits(image, encoded)
    upright = turn_upright(shallow, image)
    if upright.has_transparency_data:
        return _composite(upright.convert("LA"))
    return np.asarray(upright.convert("L"))


def turn_upright(pixels: Image.Image, image: Image.Image) -> Image.Image:
    """Return pixels of an image the way up that its EXIF says."""
    # Not by `ImageOps.exif_transpose`, which writes EXIF anew and fails on broken ones.
    turn = _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    return pixels if turn is None else pixels.transpose(turn)


def _reduce_to_8_bits(image: ImageFile, encoded: bytes) -> Image.Image:
    """Return an image as it is, or one of 16 bits a value scaled by the bits that it uses."""
    layout = str(image.tile[0].args) if image.tile else ""
    if layout == "I;16B":
        return Image.fromarray(_scale_to_8_bits(np.asarray(image), encoded))
    if layout != "LA;16B" and layout not in _LOWER_BYTES:
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


def _composite(image: Image.Image) -> UInt8Array:
    """Lay the visible pixels on white or on black."""
    grey_HW, alpha_HW = np.asarray(image, dtype=np.float32).transpose(2, 0, 1)
    ground = 255.0 if _belongs_on_white(grey_HW, alpha_HW) else 0.0
    mixed_HW = ground + (grey_HW - ground) * (alpha_HW / 255.0)
    composited_HW: UInt8Array = mixed_HW.round().astype(np.uint8)
    return composited_HW


def _belongs_on_white(grey_HW: Float32Array, alpha_HW: Float32Array) -> bool:
    """Return whether visible ink stands out from white, or a visible page goes on in white.

    A page is what covers most of the image and holds both tones: a scan with clear corners.
    """
    visible = float(alpha_HW.sum())
    is_light = visible > 0 and float((grey_HW * alpha_HW).sum()) >= 128 * visible
    opaque_N = grey_HW[alpha_HW > 250]
    is_page = 2 * opaque_N.size > grey_HW.size and float(np.ptp(opaque_N)) > 128
    return is_light == is_page
