"""Of the letters of EMNIST only those come that no Ukrainian letter looks like."""

import numpy as np

from bukva.core.samples import RawSample
from bukva.tasks.glyph.charset import NO_SYMBOL
from bukva.tasks.glyph.corpora import read_glyphs

PIXELS = np.zeros((2, 2), dtype=np.uint8)


def test_only_strange_latin_letters_are_taken_and_as_no_symbols() -> None:
    samples = [RawSample(label, PIXELS, label) for label in "3A9FґR"]
    taken = list(read_glyphs("emnist", lambda: iter(samples)))
    assert [(sample.name, sample.label) for sample in taken] == [
        ("3", "3"), ("9", "9"), ("F", NO_SYMBOL), ("ґ", "ґ"), ("R", NO_SYMBOL),
    ]  # fmt: skip
