"""Photos and scans as phones and scanners write them, of any size."""

import io
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from PIL import Image

PAPER, INK = (212, 205, 190), (38, 52, 130)
A4_300_DPI = (2480, 3508)


@cache
def photograph(width: int, height: int) -> Image.Image:
    """Return a stroke of blue ink on paper in uneven light, with the noise of a sensor."""
    rng = np.random.default_rng(width)
    light = rng.integers(-25, 25, (height // 100, width // 100)).astype(np.float32)
    light_HW = np.asarray(Image.fromarray(light).resize((width, height)))
    noise_HW = rng.integers(-6, 7, (height, width), dtype=np.int8)
    page_HWC = np.empty((height, width, 3), dtype=np.uint8)
    for channel, (paper, ink) in enumerate(zip(PAPER, INK, strict=True)):
        tone_HW = paper + light_HW + noise_HW
        tone_HW[height // 3 : 2 * height // 3, width // 2 : width // 2 + width // 25] = ink
        page_HWC[..., channel] = np.clip(tone_HW, 0, 255)
    return Image.fromarray(page_HWC)


def written(
    size: tuple[int, int], image_format: str, mode: str = "RGB", **options: Any
) -> Callable[[], bytes]:
    """Return what makes a file of a photo."""

    def write() -> bytes:
        buffer = io.BytesIO()
        photograph(*size).convert(mode).save(buffer, image_format, **options)
        return buffer.getvalue()

    return write


def in_separate_scans(jpeg: bytes) -> bytes:
    """Return a baseline JPEG whose colours lie one after the other, as its header announces it.

    What its scans hold is not what it was, which nothing that looks at the header alone can know.
    """
    start = jpeg.index(b"\xff\xda")
    first = b"\xff\xda\x00\x08\x01" + jpeg[start + 5 : start + 7] + b"\x00\x3f\x00"
    return jpeg[:start] + first + jpeg[start + 14 :]


def with_scans(progressive_jpeg: bytes, count: int) -> bytes:
    """Return a progressive JPEG whose last scan comes again and again."""
    start = progressive_jpeg.rindex(b"\xff\xda")
    missing = count - progressive_jpeg.count(b"\xff\xda")
    scan = progressive_jpeg[start:-2]
    return progressive_jpeg[:-2] + scan * missing + progressive_jpeg[-2:]
