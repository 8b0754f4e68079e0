"""What may happen to a drawing on its way: the pen, the hand, the paper, the file.

The sample table holds symbols in their frames of 28 px, not the pages that they were on. Each is
enlarged onto a page of its own, disturbed there as an image is before it reaches the recogniser,
and preprocessed again by the one function that training and serving share. The enlarged symbol is
smoother than the original was; what the enlargement alone costs is measured beside (`robustness`).

Shapes: N samples, H x W pixels.
"""

import io
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import numpy as np
from numpy.random import Generator
from PIL import Image
from scipy import ndimage

from bukva.data.decoding import decode_image
from bukva.data.preprocessing import preprocess
from bukva.data.samples import UInt8Array
from bukva.errors import EmptyImageError
from bukva.parameters.evaluation import ShiftName

PAGE_PX: Final = 128
SYMBOL_PX: Final = 80
"""Longest side of the symbol on the page: the pens' strengths are pixels at this size."""

_PAPER: Final = 255

Shift: TypeAlias = Callable[[UInt8Array, float, Generator], UInt8Array]
"""From a page `(H, W)`, dark on light, and a strength to another page."""


def render_page(frame_HW: UInt8Array) -> UInt8Array:
    """Return a framed symbol, ink high on zero, as a page of `PAGE_PX`, dark on light."""
    rows, columns = np.flatnonzero(frame_HW.any(1)), np.flatnonzero(frame_HW.any(0))
    if not len(rows):
        return np.full((PAGE_PX, PAGE_PX), _PAPER, dtype=np.uint8)
    symbol_HW = frame_HW[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = SYMBOL_PX / max(symbol_HW.shape)
    height, width = (max(1, round(side * scale)) for side in symbol_HW.shape)
    # A pixel of margin, so that the outline is smooth on all sides.
    symbol = Image.fromarray(np.pad(symbol_HW, 1))
    margin = round(scale)
    symbol = symbol.resize((width + 2 * margin, height + 2 * margin), Image.Resampling.BICUBIC)
    page = Image.new("L", (PAGE_PX, PAGE_PX))
    page.paste(symbol, ((PAGE_PX - symbol.width) // 2, (PAGE_PX - symbol.height) // 2))
    return _PAPER - np.asarray(page)


def shift_frames(
    images_NHW: UInt8Array, shift: Shift, strength: float, seed: int
) -> tuple[UInt8Array, np.ndarray]:
    """Return frames made of disturbed pages, and whether nothing was left of each, `(N,)`.

    Args:
        images_NHW: Frames, uint8, ink high on zero.
        shift: What happens to the pages.
        strength: How strong it is.
        seed: Of its randomness; each sample has a generator of its own.
    """
    shifted_NHW = np.zeros_like(images_NHW)
    is_empty_N = np.zeros(len(images_NHW), dtype=bool)
    for place, frame_HW in enumerate(images_NHW):
        page_HW = shift(render_page(frame_HW), strength, np.random.default_rng((seed, place)))
        try:
            shifted_NHW[place] = preprocess(page_HW).image_HW
        except EmptyImageError:
            is_empty_N[place] = True
    return shifted_NHW, is_empty_N


def leave(page_HW: UInt8Array, strength: float, rng: Generator) -> UInt8Array:  # noqa: ARG001
    """Return the page as it is."""
    return page_HW


def rotate(page_HW: UInt8Array, angle_deg: float, rng: Generator) -> UInt8Array:
    """Turn the page, either way."""
    turn_deg = angle_deg * rng.choice([-1, 1])
    page = Image.fromarray(page_HW)
    return np.asarray(page.rotate(turn_deg, Image.Resampling.BICUBIC, fillcolor=_PAPER))


def add_noise(page_HW: UInt8Array, deviation: float, rng: Generator) -> UInt8Array:
    """Add Gaussian noise of a standard deviation in grey levels."""
    noise_HW = rng.standard_normal(page_HW.shape, dtype=np.float32) * np.float32(deviation)
    noisy_HW: UInt8Array = np.clip(page_HW + noise_HW, 0, 255).astype(np.uint8)
    return noisy_HW


def compress(page_HW: UInt8Array, quality: float, rng: Generator) -> UInt8Array:  # noqa: ARG001
    """Write the page as a JPEG file of a quality 1..95, and read it as the service does."""
    buffer = io.BytesIO()
    Image.fromarray(page_HW).save(buffer, "JPEG", quality=round(quality))
    return decode_image(buffer.getvalue())


def thin(page_HW: UInt8Array, radius_px: float, rng: Generator) -> UInt8Array:  # noqa: ARG001
    """Take a margin off the ink, as by a thinner pen."""
    return ndimage.maximum_filter(page_HW, size=2 * round(radius_px) + 1)


def thicken(page_HW: UInt8Array, radius_px: float, rng: Generator) -> UInt8Array:  # noqa: ARG001
    """Give the ink a margin, as by a thicker pen."""
    return ndimage.minimum_filter(page_HW, size=2 * round(radius_px) + 1)


def invert(page_HW: UInt8Array, contrast: float, rng: Generator) -> UInt8Array:  # noqa: ARG001
    """Return light ink on black; the ink's tone is a share of white."""
    inverted_HW: UInt8Array = ((_PAPER - page_HW) * contrast).round().astype(np.uint8)
    return inverted_HW


SHIFTS: Final[Mapping[ShiftName, Shift]] = {
    "rotation_deg": rotate,
    "noise": add_noise,
    "jpeg_quality": compress,
    "thinner_pen_px": thin,
    "thicker_pen_px": thicken,
    "inverted_contrast": invert,
}
