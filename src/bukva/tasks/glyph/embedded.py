"""The corpora that need no download: drawn symbols, those of fonts, and scikit-learn's digits.

Drawn symbols and those of fonts are synthetic: what is measured on them says nothing yet about
people.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from bukva.core.samples import RawSample
from bukva.tasks.glyph.charset import SYMBOLS, from_symbol
from bukva.tasks.glyph.font_letters import FONTS
from bukva.tasks.glyph.nonsymbols.drawing import CORPUS as NONSYMBOLS
from bukva.tasks.glyph.strokes.writing import draw_symbol

PHOTOGRAPHS: Final = "photographs"
"""Its name in the sample table; a sample is named by the one that it shows: `comnist/...`."""

EMBEDDED_CORPORA = frozenset({PHOTOGRAPHS, "digits", "strokes", FONTS, NONSYMBOLS})
"""Names of the three, of photographs made of others, and of what shows no symbol."""


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
