"""From the bytes of an image file to grey pixels, whatever its mode, alpha or EXIF turn."""

import io
import warnings
from typing import Final

import numpy as np
from PIL import Image, ImageOps

from bukva.data.samples import UInt8Array
from bukva.errors import ImageDecodeError, ImageTooLargeError

FORMATS: Final = ("PNG", "JPEG", "WEBP")
MAX_IMAGE_BYTES: Final = 1_048_576
MAX_IMAGE_PIXELS: Final = 4_000_000
MAX_SIDE_PX: Final = 4096

_SIGNATURES: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF")


class UnsupportedFormatError(ImageDecodeError):
    """Raised when the bytes are not a PNG, JPEG or WebP file."""


def decode_image(encoded: bytes) -> UInt8Array:
    """Decode an image file into grey pixels, dark and light as a person sees them.

    Alpha is composited on white, or on black when what is visible is light; 16-bit values are
    scaled; the EXIF turn is applied.

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
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(encoded), formats=FORMATS) as image:
                _check_header(image)
                return to_grey(image)
    except ImageDecodeError:
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
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I") or image.mode == "F":
        return _scale_to_uint8(np.asarray(image, dtype=np.float64))
    if image.has_transparency_data:
        return _composite(image.convert("LA"))
    return np.asarray(image.convert("L"))


def _scale_to_uint8(values_HW: np.ndarray) -> UInt8Array:
    full_scale = 65535.0 if values_HW.max(initial=0) > 255 else 255.0
    scaled_HW: UInt8Array = np.clip(values_HW * (255.0 / full_scale), 0, 255).astype(np.uint8)
    return scaled_HW


def _composite(image: Image.Image) -> UInt8Array:
    """Lay the visible pixels on the ground, white or black, that they stand out from."""
    grey_HW, alpha_HW = np.asarray(image, dtype=np.float32).transpose(2, 0, 1)
    visible = alpha_HW.sum()
    ink = float((grey_HW * alpha_HW).sum() / visible) if visible else 0.0
    ground = 255.0 if ink < 128 else 0.0
    mixed_HW = ground + (grey_HW - ground) * (alpha_HW / 255.0)
    composited_HW: UInt8Array = mixed_HW.round().astype(np.uint8)
    return composited_HW
