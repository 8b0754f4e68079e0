"""The digits of scikit-learn, which come with it: no download."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bukva.core.arrays import UInt8Array
from bukva.core.samples import RawSample

SIDE_PX: Final = 96
_MARGIN_CELLS: Final = 2
_FULL_CELL: Final = 16


def read_sklearn_digits() -> Iterator[RawSample]:
    """Yield the 1,797 digits of scikit-learn, named like "digits-0123", as enlarged pages.

    They are 8x8 counts of ink from 43 people (Alpaydin and Kaynak, 1998), cut to the digit, so
    that their size on a page is not known.
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    for index, (cells, label) in enumerate(zip(digits.images, digits.target, strict=True)):
        yield RawSample(f"digits-{index:04d}", _enlarge(cells), str(label), has_page=False)


def _enlarge(cells: NDArray[np.float64]) -> UInt8Array:
    """Return cells `(8, 8)` of 0..16 as a page `(SIDE_PX, SIDE_PX)`, paper 255."""
    padded = np.pad(np.asarray(cells, dtype=np.float32) / _FULL_CELL, _MARGIN_CELLS)
    side = (SIDE_PX, SIDE_PX)
    smooth = np.asarray(Image.fromarray(padded).resize(side, Image.Resampling.BICUBIC))
    # A cell counts the ink of a line thinner than itself: only a well filled one is line.
    ink = np.clip((smooth - 0.45) / 0.45, 0.0, 1.0)
    page: UInt8Array = np.rint(255 * (1 - ink)).astype(np.uint8)
    return page
