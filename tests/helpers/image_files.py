"""Image files written by hand: what Pillow writes only well-formed, or not at all."""

import struct
import zlib
from collections.abc import Iterable

import numpy as np

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, GREY_AND_ALPHA, RGBA = 0, 2, 3, 4, 6
MIB = 1_048_576

# x, y, dx, dy of each pass of an interlaced PNG (Adam7).
_PASSES = (
    (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
    (0, 1, 1, 2),
)  # fmt: skip


def chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


def png_header(width_px: int, height_px: int, depth: int = 8, colour: int = GREY) -> bytes:
    return png_header_of(struct.pack(">IIBBBBB", width_px, height_px, depth, colour, 0, 0, 0))


def png_header_of(data: bytes) -> bytes:
    return PNG_SIGNATURE + chunk(b"IHDR", data)


def png_end(pixels: bytes) -> bytes:
    """The rest of a PNG after its header; `pixels` are compressed already."""
    return chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def zeros(count: int) -> bytes:
    """`count` zero bytes, compressed a part at a time."""
    packer = zlib.compressobj(9)
    parts = [packer.compress(bytes(MIB)) for _ in range(count // MIB)]
    return b"".join([*parts, packer.compress(bytes(count % MIB)), packer.flush()])


def full_png(width_px: int, height_px: int, depth: int = 8, colour: int = GREY) -> bytes:
    """A PNG that has every pixel it announces, all zero."""
    samples = {GREY: 1, RGB: 3, PALETTE: 1, RGBA: 4}[colour]
    row_bytes = 1 + -(-width_px * depth * samples // 8)
    return png_header(width_px, height_px, depth, colour) + png_end(zeros(height_px * row_bytes))


def interlaced_png(width_px: int, height_px: int, grey: bytes) -> bytes:
    rows = [grey[y * width_px : (y + 1) * width_px] for y in range(height_px)]
    lines = (b"\0" + row[x::dx] for x, y, dx, dy in _PASSES for row in rows[y::dy])
    header = struct.pack(">IIBBBBB", width_px, height_px, 8, GREY, 0, 0, 1)
    return png_header_of(header) + png_end(zlib.compress(b"".join(lines)))


def after_header(png: bytes, *chunks: bytes) -> bytes:
    """A PNG with further chunks between its header and the rest."""
    return b"".join([png[:33], *chunks, png[33:]])


def chunks_of(png: bytes) -> Iterable[tuple[bytes, int, int]]:
    """Name, start and end of each chunk."""
    place = len(PNG_SIGNATURE)
    while place < len(png):
        end = place + 12 + int.from_bytes(png[place : place + 4])
        yield png[place + 4 : place + 8], place, end
        place = end


def without_chunk(png: bytes, name: bytes) -> bytes:
    parts = [png[start:end] for kind, start, end in chunks_of(png) if kind != name]
    return PNG_SIGNATURE + b"".join(parts)


def flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :]


def jpeg_of_size(jpeg: bytes, width_px: int, height_px: int) -> bytes:
    """A JPEG that announces another size than it has (SOF0: length, precision, height, width)."""
    place = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:place] + struct.pack(">HH", height_px, width_px) + jpeg[place + 4 :]


def with_right_checksums(encoded: bytes) -> bytes:
    """Return a PNG whose chunks pass their checksum, so that what they hold is looked at."""
    if not encoded.startswith(PNG_SIGNATURE):
        return encoded
    mended, place = bytearray(encoded[:8]), 8
    while place + 12 <= len(encoded):
        end = place + 8 + struct.unpack(">I", encoded[place : place + 4])[0]
        if end + 4 > len(encoded):
            break
        checksum = zlib.crc32(encoded[place + 4 : end])
        mended += encoded[place:end] + struct.pack(">I", checksum)
        place = end + 4
    return bytes(mended) + encoded[place:]


def deep_png(values_HWC: np.ndarray, *chunks: bytes) -> bytes:
    """A PNG of 16 bits a value, of grey, grey and alpha, colour, or colour and alpha."""
    height, width, channels = values_HWC.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values_HWC)
    header = png_header(width, height, 16, {1: GREY, 2: GREY_AND_ALPHA, 3: RGB, 4: RGBA}[channels])
    return header + b"".join(chunks) + png_end(zlib.compress(rows))
