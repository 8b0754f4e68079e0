"""The corpus that needs no download: drawn symbols, and the digits of scikit-learn.

The drawn symbols are synthetic: whatever is measured on them says nothing yet about people.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bukva.charset import SYMBOLS, from_symbol
from bukva.data.nonsymbols.kinds import CORPUS as NONSYMBOLS
from bukva.data.samples import RawSample, UInt8Array
from bukva.data.strokes.writing import draw_symbol

EMBEDDED_CORPORA = frozenset({"digits", "strokes", NONSYMBOLS})
"""Names of the two, and of what shows no symbol; every clone has them."""

DIGIT_SIDE_PX = 96
DIGIT_MARGIN_CELLS = 2
FULL_CELL = 16


def draw_letters_and_digits(samples_per_symbol: int, seed: int) -> Iterator[RawSample]:
    """Yield pages of every symbol, named like "strokes-Ґ-0012", the same ones for the same seed.

    Each sample has a generator of its own: asking for more samples leaves the former as they were.

    Args:
        samples_per_symbol: How many of each of the 76 symbols.
        seed: Not negative.
    """
    for place, symbol in enumerate(SYMBOLS):
        label, is_uppercase = from_symbol(symbol)
        for index in range(samples_per_symbol):
            sequence = np.random.SeedSequence(seed, spawn_key=(place, index))
            page = draw_symbol(symbol, np.random.default_rng(sequence))
            yield RawSample(f"strokes-{symbol}-{index:04d}", page, label, is_uppercase)


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
    """Return cells `(8, 8)` of 0..16 as a page `(DIGIT_SIDE_PX, DIGIT_SIDE_PX)`, paper 255."""
    padded = np.pad(np.asarray(cells, dtype=np.float32) / FULL_CELL, DIGIT_MARGIN_CELLS)
    side = (DIGIT_SIDE_PX, DIGIT_SIDE_PX)
    smooth = np.asarray(Image.fromarray(padded).resize(side, Image.Resampling.BICUBIC))
    # A cell counts the ink of a line thinner than itself: only a well filled one is line.
    ink = np.clip((smooth - 0.45) / 0.45, 0.0, 1.0)
    page: UInt8Array = np.rint(255 * (1 - ink)).astype(np.uint8)
    return page
