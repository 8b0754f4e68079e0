"""From the bytes of a file to the pixels of a picture: an image, or a page of a TIFF or a PDF.

Bounds on memory are kept before anything is decoded; what is large comes at a reduced scale.
"""

import io
import struct
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from PIL import Image, ImageOps, ImageStat
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile

from bukva.core.arrays import UInt8Array
from bukva.core.imaging.decoding import decode_image, to_pixels
from bukva.core.imaging.opening import MAX_SIDE_PX, PNG
from bukva.errors import (
    EncryptedError,
    ImageDecodeError,
    ImageError,
    ImageTooLargeError,
    PageMissingError,
    UnsupportedFormatError,
)

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage

MAX_PIXELS: Final = 40_000_000
"""Of a page of a TIFF, a PNG or the images on a page of a PDF: A4 at 600 dpi has 35 million."""
_MOST_PAGES: Final = 10_000
_PDF_DPI: Final = 200
_LONGEST_PX: Final = 2048
_WRONG_PASSWORD: Final = 4  # FPDF_ERR_PASSWORD
_PDFIUM: Final = Lock()  # PDFium may be called by one thread at a time
_WHITE_IS_ZERO, _PHOTOMETRIC, _TILE_WIDTH, _TILE_LENGTH = 0, 262, 322, 323  # TIFF 6.0


@dataclass(frozen=True)
class Page:
    """A page as it is read.

    Attributes:
        pixels: Grey `(H, W)` or RGB `(H, W, 3)`, at most 2,048 a side.
        number: Which one it is, from 1.
        count: How many the file has.
        sent_size: Width and height of the picture that was sent, upright, where that is one.
    """

    pixels: UInt8Array
    number: int
    count: int
    sent_size: tuple[int, int] = (0, 0)


def read_page(file: bytes, number: int = 1) -> Page:
    """Return a page of a PNG, JPEG, WebP, TIFF or PDF file.

    Raises:
        UnsupportedFormatError: If it is none of them.
        EncryptedError: If it asks for a password.
        PageMissingError: If it has no such page.
        ImageError: If it is broken or too large.
    """
    if b"%PDF-" in file[:1024]:
        return _read_pdf(file, number)
    try:
        page = read_picture(file, number)
    except UnsupportedFormatError as error:
        raise UnsupportedFormatError("Expected a PNG, JPEG, WebP, TIFF or PDF file.") from error
    return page


def read_picture(file: bytes, number: int = 1) -> Page:
    """Return the picture in a PNG, JPEG or WebP file, or one of those in a TIFF.

    Raises:
        ImageError: As `read_page` does.
    """
    if file[:4] in _LAYOUTS:
        return _read_tiff(file, number)
    pixels = _read_image(file)
    _check_number(number, 1)
    return Page(pixels, 1, 1, _measure(file, pixels))


def _check_number(number: int, count: int) -> None:
    if not 1 <= number <= count:
        raise PageMissingError(f"Expected a page of the {count} in the file, got {number}.")


def _read_image(file: bytes) -> UInt8Array:
    if file.startswith(b"\x89PNG") and _is_large_png(file):
        with _named_faults(), PngImageFile(io.BytesIO(file)) as image:
            if getattr(image, "n_frames", 1) > 1:
                raise ImageDecodeError("Expected one picture, got an animation.")
            return to_pixels(image)
    try:
        return decode_image(file)
    except UnsupportedFormatError as error:
        raise UnsupportedFormatError("Expected a PNG, JPEG, WebP or TIFF file.") from error


def _measure(file: bytes, pixels: UInt8Array) -> tuple[int, int]:
    """Return width and height of an image, the way up that its pixels were decoded."""
    with _named_faults(), Image.open(io.BytesIO(file)) as image:
        width, height = image.size
    is_turned = (width > height) != (pixels.shape[1] > pixels.shape[0])
    return (height, width) if is_turned else (width, height)


def _is_large_png(file: bytes) -> bool:
    """Return whether a scan is larger than letters may be, and can be read nevertheless."""
    if len(file) < 25:
        return False
    width, height, bits = struct.unpack_from(">IIB", file, 16)
    is_within = max(width, height) <= MAX_SIDE_PX and width * height <= MAX_PIXELS
    return bool(bits <= 8 and PNG.pixels < width * height and is_within)


@contextmanager
def _named_faults() -> Iterator[None]:
    try:
        yield
    except ImageError:
        raise
    except Exception as error:  # Pillow and PDFium raise many kinds for broken files
        raise ImageDecodeError("Expected a readable document, got a broken one.") from error


class _Layout(NamedTuple):
    """How the directories of a TIFF are chained, one a page (TIFF 6.0, section 2; BigTIFF)."""

    order: str
    first: int
    number: str
    entry_bytes: int
    offset: str


_LAYOUTS: Final = {
    b"II*\0": _Layout("<", 4, "H", 12, "I"),
    b"MM\0*": _Layout(">", 4, "H", 12, "I"),
    b"II+\0": _Layout("<", 8, "Q", 20, "Q"),
    b"MM\0+": _Layout(">", 8, "Q", 20, "Q"),
}


def _read_tiff(file: bytes, number: int) -> Page:
    layout = _LAYOUTS[file[:4]]
    with _named_faults():
        places = list(_find_directories(file, layout))
        _check_number(number, len(places))
        # A file that begins with the page: Pillow would read all before it, which may be many.
        begun = bytearray(file)
        struct.pack_into(layout.order + layout.offset, begun, layout.first, places[number - 1])
        with TiffImageFile(io.BytesIO(bytes(begun))) as image:
            _check_size(*image.size)
            _check_size(image.tag_v2.get(_TILE_WIDTH, 1), image.tag_v2.get(_TILE_LENGTH, 1))
            pixels = to_pixels(_reduce_to_8_bits(image))
            return Page(pixels, number, len(places), image.size)


def _find_directories(file: bytes, layout: _Layout) -> Iterator[int]:
    """Yield where each page is described; nothing but the chain is read."""
    counted = struct.Struct(layout.order + layout.number)
    linked = struct.Struct(layout.order + layout.offset)
    [place] = linked.unpack_from(file, layout.first)
    seen = set[int]()
    while place and place not in seen and len(seen) < _MOST_PAGES:
        [entries] = counted.unpack_from(file, place)
        yield place
        seen.add(place)
        after = place + counted.size + entries * layout.entry_bytes
        # Some programs end the last one without the 0 that says so.
        place = linked.unpack_from(file, after)[0] if after + linked.size <= len(file) else 0


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE_PX:
        raise ImageTooLargeError(
            f"Expected at most {MAX_PIXELS} pixels and {MAX_SIDE_PX} a side, got {width} x "
            f"{height}. Scale it down."
        )


def _reduce_to_8_bits(image: TiffImageFile) -> Image.Image:
    """Return an image as it is, or one of more bits a value scaled by those that it uses.

    One of a bit a value is turned over where it is mostly black: fax machines and programs differ
    in what they call white, and not all of them say so.
    """
    if image.mode == "1":
        return ImageOps.invert(image) if ImageStat.Stat(image).mean[0] < 128 else image
    if image.mode not in ("I;16", "I;16B", "I;16L", "I;16N", "I", "F"):
        return image
    values_HW = np.nan_to_num(np.asarray(image).astype(np.float32))
    low = min(0.0, float(values_HW.min()))
    high = max(float(values_HW.max()) - low, 1.0)
    if image.mode != "F":
        high = float((1 << max(8, int(high).bit_length())) - 1)
    scaled_HW = ((values_HW - low) * (255 / high)).astype(np.uint8)
    is_inverted = image.tag_v2.get(_PHOTOMETRIC) == _WHITE_IS_ZERO
    return Image.fromarray(255 - scaled_HW if is_inverted else scaled_HW)


def _read_pdf(file: bytes, number: int) -> Page:
    with _PDFIUM, _named_faults(), closing(_open_pdf(file)) as document:
        _check_number(number, len(document))
        with closing(document[number - 1]) as page:
            return Page(_render(page), number, len(document))


def _open_pdf(file: bytes) -> "PdfDocument":
    from pypdfium2 import PdfDocument, PdfiumError  # few documents are PDF

    try:
        return PdfDocument(file)
    except PdfiumError as error:
        # The code may be that of an earlier file: of one without pages PDFium says none.
        if error.err_code == _WRONG_PASSWORD and b"/Encrypt" in file:
            message = "Expected a PDF that opens without a password. Save it without one."
            raise EncryptedError(message) from error
        message = "Expected a PDF with pages that can be read, got a broken or an empty one."
        raise ImageDecodeError(message) from error


def _render(page: "PdfPage") -> UInt8Array:
    from pypdfium2.raw import FPDF_PAGEOBJ_IMAGE

    pixels = 0
    for image in page.get_objects(filter=[FPDF_PAGEOBJ_IMAGE]):
        width, height = image.get_px_size()
        _check_size(width, height)
        pixels += width * height
    # Those of a page: scans are kept in strips, or in layers.
    if pixels > 2 * MAX_PIXELS:
        message = f"Expected at most {2 * MAX_PIXELS} pixels in the images of a page, got {pixels}."
        raise ImageTooLargeError(f"{message} Scale them down.")
    scale = min(_PDF_DPI / 72, _LONGEST_PX / max(page.get_size()))
    with closing(page.render(scale=scale, rev_byteorder=True)) as bitmap:
        return to_pixels(bitmap.to_pil())
