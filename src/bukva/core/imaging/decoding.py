"""From the bytes of an image file to grey pixels, whatever its mode, alpha or EXIF turn."""

import io
from collections.abc import Mapping
from typing import Final

import numpy as np
from PIL import ExifTags, Image
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from bukva.core.arrays import Float32Array, UInt8Array
from bukva.errors import ImageDecodeError, ImageError, ImageTooLargeError, UnsupportedFormatError

# By their readers: for a format whose reader is not imported, Pillow imports all forty it has.
FORMATS: Final = tuple(
    str(reader.format) for reader in (PngImageFile, JpegImageFile, WebPImageFile)
)
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

_SIGNATURES: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF")


def decode_image(encoded: bytes) -> UInt8Array:
    """Decode an image file into grey pixels, dark and light as a person sees them.

    Alpha is composited on the ground, white or black, that visible ink stands out from; 16-bit
    values are scaled; the EXIF turn is applied.

    Args:
        encoded: The bytes of a PNG, JPEG or WebP file, at most `MAX_IMAGE_BYTES`.

    Returns:
        Grey pixels `(H, W)`, uint8.

    Raises:
        UnsupportedFormatError: If the bytes are of no allowed format.
        ImageTooLargeError: If bytes, pixels or a side exceed their cap; nothing was decoded then.
        ImageDecodeError: If the file is broken or animated.
    """
    if len(encoded) > MAX_IMAGE_BYTES:
        message = f"Expected an image of at most {MAX_IMAGE_BYTES} bytes, got {len(encoded)}."
        raise ImageTooLargeError(message)
    if not encoded.startswith(_SIGNATURES):
        raise UnsupportedFormatError(f"Expected an image file, one of {', '.join(FORMATS)}.")
    try:
        with Image.open(io.BytesIO(encoded), formats=FORMATS) as image:
            _check_header(image)
            return to_grey(image)
    except ImageError:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise ImageTooLargeError(f"Expected at most {MAX_IMAGE_PIXELS} pixels.") from error
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


def to_grey(image: Image.Image) -> UInt8Array:
    """Return an opened image as grey pixels `(H, W)`, uint8, upright and without alpha."""
    image = _turn_upright(image)
    if image.mode.startswith("I") or image.mode == "F":
        return _scale_to_uint8(np.asarray(image, dtype=np.float64))
    if image.has_transparency_data:
        return _composite(image.convert("LA"))
    return np.asarray(image.convert("L"))


def _turn_upright(image: Image.Image) -> Image.Image:
    """Undo the EXIF turn; `ImageOps.exif_transpose` writes EXIF anew and fails on broken ones."""
    turn = _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    return image if turn is None else image.transpose(turn)


def _scale_to_uint8(values_HW: np.ndarray) -> UInt8Array:
    full_scale = 65535.0 if values_HW.max(initial=0) > 255 else 255.0
    scaled_HW: UInt8Array = np.clip(values_HW * (255.0 / full_scale), 0, 255).astype(np.uint8)
    return scaled_HW


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
