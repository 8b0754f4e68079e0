"""Opens image files within bounds on memory and time, which are kept before anything is decoded.

What the largest of each kind takes: `docs/how_to/serve.md`.
"""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from PIL import Image
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from bukva.errors import ImageDecodeError, ImageError, ImageTooLargeError, UnsupportedFormatError

# Not by `Image.open`: of a photo that holds a second picture (a depth map, a gain map) it makes a
# sequence of two. A JPEG's first picture is the picture, and its reader reads no other.
_READERS: Final[Mapping[bytes, type[ImageFile]]] = {
    b"\x89PNG\r\n\x1a\n": PngImageFile,
    b"\xff\xd8\xff": JpegImageFile,
    b"RIFF": WebPImageFile,
}
_FORMATS: Final = tuple(str(reader.format) for reader in _READERS.values())

MAX_IMAGE_BYTES: Final = 20 * 1024 * 1024
MAX_SIDE_PX: Final = 12_000
MAX_SCANS: Final = 32
"""Of a JPEG: each goes through all of its pixels once more, and need not take ten bytes."""


class _Cap(NamedTuple):
    """How many pixels a kind of file may have, and what to do with one that has more."""

    pixels: int
    kind: str
    advice: str


JPEG: Final = _Cap(60_000_000, "a JPEG", "Scale it down")
WHOLE_JPEG: Final = _Cap(
    16_000_000, "a progressive JPEG", "Save it as a baseline JPEG, or scale it down"
)
"""Of which all coefficients are kept until the last scan is read, six bytes a pixel."""
PNG: Final = _Cap(16_000_000, "a PNG", "Send it as JPEG, or scale it down")
WEBP: Final = _Cap(13_000_000, "a WebP", "Send it as JPEG, or scale it down")
"""Of which the decoder keeps several copies, sixteen bytes a pixel."""
DEEP_PNG: Final = _Cap(
    4_000_000, "a PNG of 16-bit colours", "Save it with 8 bits, or scale it down"
)

_LEAST_JPEG_PX: Final = 900
"""Longest side down to which a JPEG is not decoded in full: whole blocks are left out."""

DEEP_COLOURS: Final = ("LA;16B", "RGB;16B", "RGBA;16B")
"""Layouts of colours, or of grey with alpha, of 16 bits a value."""


@contextmanager
def open_image(encoded: bytes, *, whole: bool = False) -> Iterator[ImageFile]:
    """Open an image file, of which nothing is decoded before its header was found harmless.

    Args:
        encoded: The bytes of the file.
        whole: Whether a large JPEG is decoded in all its pixels.

    Raises:
        ImageError: As `decode_image` does, also of what is decoded within the block.
    """
    if len(encoded) > MAX_IMAGE_BYTES:
        raise ImageTooLargeError(
            f"Expected an image of at most {MAX_IMAGE_BYTES} bytes, got {len(encoded)}. "
            "Send it as JPEG, or scale it down."
        )
    reader = next((_READERS[start] for start in _READERS if encoded.startswith(start)), None)
    if reader is None:
        raise UnsupportedFormatError(f"Expected an image file, one of {', '.join(_FORMATS)}.")
    try:
        with reader(io.BytesIO(encoded)) as opened:
            _check_header(opened, encoded)
            if isinstance(opened, JpegImageFile) and not whole:
                _reduce_scale(opened)
            yield opened
    except ImageError:
        raise
    except Image.DecompressionBombError as error:
        # Pillow refuses such a WebP before its header can be looked at here.
        message = f"Expected at most {MAX_SIDE_PX} pixels a side, got far more. Scale it down."
        raise ImageTooLargeError(message) from error
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise ImageDecodeError("Expected a readable image file, got a broken one.") from error


def _check_header(image: ImageFile, encoded: bytes) -> None:
    width, height = image.size
    cap = _find_cap(image, encoded)
    if width * height > cap.pixels or max(width, height) > MAX_SIDE_PX:
        raise ImageTooLargeError(
            f"Expected at most {cap.pixels} pixels in {cap.kind} and {MAX_SIDE_PX} a side, "
            f"got {width} x {height}. {cap.advice}."
        )
    if cap is WHOLE_JPEG and (scans := encoded.count(b"\xff\xda")) > MAX_SCANS:
        message = f"Expected a JPEG of at most {MAX_SCANS} scans, got {scans}."
        raise ImageTooLargeError(f"{message} Save it as a baseline JPEG.")
    if getattr(image, "n_frames", 1) > 1:
        raise ImageDecodeError("Expected one picture, got an animation.")
    if image.mode == "P" and image.palette is None:
        raise ImageDecodeError("Expected a palette in an image of palette mode, got none.")


def _find_cap(image: ImageFile, encoded: bytes) -> _Cap:
    if isinstance(image, JpegImageFile):
        is_whole = "progressive" in image.info or not _has_one_scan(image, encoded)
        return WHOLE_JPEG if is_whole else JPEG
    if isinstance(image, WebPImageFile):
        return WEBP
    return DEEP_PNG if layout_of(image) in DEEP_COLOURS else PNG


def _has_one_scan(image: JpegImageFile, encoded: bytes) -> bool:
    """Return whether the first scan, whose header was just read, has all colours."""
    count = image.layers
    header = b"\xff\xda" + (6 + 2 * count).to_bytes(2) + bytes([count])
    start = image.fp.tell() - 8 - 2 * count if image.fp else 0
    return encoded[start : start + len(header)] == header


def _reduce_scale(image: JpegImageFile) -> None:
    """Have a large JPEG decoded at a half, a quarter or an eighth of its size."""
    scales = [scale for scale in (8, 4, 2) if max(image.size) >= scale * _LEAST_JPEG_PX]
    if scales:
        image.draft(None, (image.width // scales[0], image.height // scales[0]))


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


def layout_of(image: ImageFile) -> str:
    """Return how the pixels lie in the file, as Pillow calls it."""
    return str(image.tile[0].args) if image.tile else ""
