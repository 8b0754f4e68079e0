"""Of EMNIST come the letters that look like Ukrainian ones, and those that look like none."""

import numpy as np

from bukva.core.samples import RawSample
from bukva.tasks.glyph.charset import NO_SYMBOL
from bukva.tasks.glyph.corpora import read_glyphs

PIXELS = np.zeros((2, 2), dtype=np.uint8)


def test_latin_letters_are_taken_as_what_they_look_like() -> None:
    samples = [RawSample(label, PIXELS, label) for label in "3A9FґRSo"]
    taken = list(read_glyphs("emnist", lambda: iter(samples)))
    assert [(sample.name, sample.label, sample.is_uppercase) for sample in taken] == [
        ("A", "а", True), ("F", NO_SYMBOL, None), ("ґ", "ґ", None), ("R", NO_SYMBOL, None),
        ("o", "о", None),
    ]  # fmt: skip


def test_other_corpora_keep_their_digits() -> None:
    [digit] = read_glyphs("mnist", lambda: iter([RawSample("3", PIXELS, "3")]))
    assert digit.label == "3"
