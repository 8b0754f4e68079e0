"""What is told of a drawing beside its symbol, so that a service can see what is sent to it.

Shapes: N images, H x W pixels, F page features.
"""

import math
from typing import Final

from bukva.data.ink import measure_ink
from bukva.data.preprocessing import PAGE_FEATURES
from bukva.data.samples import Float32Array, UInt8Array

MEASURES: Final = ("ink_share", "stroke_width_px", "aspect", "height")
"""Ink as a share of the frame, width of the pen in the frame, width of the symbol over its height,
and its height as a share of the page."""

_HEIGHT: Final = PAGE_FEATURES.index("rel_height")


def measure(images_NHW: UInt8Array, page_NF: Float32Array) -> list[dict[str, float | None]]:
    """Return `MEASURES` for each of N framed images; the height is None where no page is known."""
    ink = measure_ink(images_NHW)
    columns = (
        ink.share_N.tolist(),
        ink.stroke_width_px_N.tolist(),
        ink.aspect_N.tolist(),
        [None if math.isnan(height) else height for height in page_NF[:, _HEIGHT].tolist()],
    )
    return [dict(zip(MEASURES, row, strict=True)) for row in zip(*columns, strict=True)]
