"""Lines set in characters of a corpus, as *EMNIST lines* are: beside each other, overlapping.

The corpora cut their characters to one size. On a line each gets the height that it has among
others: a small letter is lower than a capital, and some have tails.

Shapes: S x S pixels of a character as it is kept, H x W of a line.
"""

import unicodedata
from collections.abc import Mapping
from typing import Final

import cv2
import numpy as np

from bukva.core.arrays import UInt8Array
from bukva.tasks.line.characters import CharacterIndex
from bukva.tasks.line.font_lines import Mask, compose

_CAPITAL_PX: Final = 40.0
_X_PX: Final = 26.0
_TAIL_PX: Final = 13.0
_SPACE_PX: Final = (14, 30)
_GAP_PX: Final = 4.0
_LEAST_LETTERS: Final = 3
_PEN_SPREAD: Final = 0.1
"""How far apart, as shares of all of a symbol, the strokes' widths of one line's letters lie."""

_TAILED: Final = frozenset("gjpqyуцщрзд")
_TAILED_CAPITALS: Final = frozenset("ЦЩДQ")
_TALL_SMALL: Final = frozenset("bdfhkltiбвійї")
_BOTH: Final = frozenset("fф")
"""Small letters that are tall and have a tail."""


def set_in_characters(
    text: str, characters: CharacterIndex, overlap: tuple[float, float], rng: np.random.Generator
) -> tuple[UInt8Array, str, str]:
    """Return the ink of a line `(H, W)`, what it says in these characters, and their corpus.

    What the corpus lacks: points are left out, accents of Latin letters are taken off, words with
    other letters are left out. Nothing is said where too little is left.
    """
    corpora = sorted(characters.places)
    corpus = corpora[int(rng.integers(len(corpora)))]
    written = characters.places[corpus]
    words = [_write_with(word, written) for word in text.split()]
    said = " ".join(word for word in words if word)
    if len(said) < min(_LEAST_LETTERS, len(text)):
        return np.zeros((1, 1), dtype=np.uint8), "", corpus
    return _set(said, written, characters.images_NSS, overlap, rng), said, corpus


def _write_with(word: str, written: Mapping[str, np.ndarray]) -> str:
    """Return a word as it can be written; nothing where a letter is missing."""
    plain = "".join(each if each in written else _without_accent(each) for each in word)
    letters = "".join(each for each in plain if each in written or each.isalnum())
    return letters if all(each in written for each in letters) else ""


def _without_accent(character: str) -> str:
    base = unicodedata.normalize("NFD", character)[0]
    return base if base.isascii() else character


def _set(
    said: str, written: Mapping[str, np.ndarray], images_NSS: UInt8Array,
    overlap: tuple[float, float], rng: np.random.Generator,
) -> UInt8Array:  # fmt: skip
    share = float(rng.uniform(*overlap))
    size = float(rng.uniform(0.9, 1.1))
    width_rank = float(rng.random())
    placed: list[tuple[Mask, int]] = []
    pen = 0.0
    for character in said:
        if character == " ":
            pen += float(rng.uniform(*_SPACE_PX))
            continue
        rows = written[character]
        rank = width_rank + float(rng.uniform(-_PEN_SPREAD, _PEN_SPREAD))
        place = min(len(rows) - 1, max(0, int(rank * len(rows))))
        image_SS = images_NSS[int(rows[place])]
        mask = _scale(image_SS, character, size * float(rng.uniform(0.94, 1.06)))
        placed.append((mask, round(pen)))
        # The margin that the corpus cut off, less what this line's letters run into each other.
        pen += mask.ink_hw.shape[1] * (1 - share) + _GAP_PX
    return compose(placed)


def _scale(image_SS: UInt8Array, character: str, size: float) -> Mask:
    """Return a character at the height that it has on a line, and where it stands there."""
    above, below = extent_px(character)
    height, width = _cut_size(image_SS)
    tall = max(4, round((above + below) * size))
    # Nothing is stretched beyond what letters are.
    wide = min(max(3, round(width * tall / height)), round(1.6 * _CAPITAL_PX))
    scaled = cv2.resize(image_SS[:height, :width], (wide, tall), interpolation=cv2.INTER_LINEAR)
    return Mask(np.asarray(scaled, dtype=np.uint8), 0, -round(above * size))


def _cut_size(image_SS: UInt8Array) -> tuple[int, int]:
    """Return height and width of a character that lies at the left and the top."""
    left, top, width, height = cv2.boundingRect(image_SS)
    return max(1, top + height), max(1, left + width)


def extent_px(character: str) -> tuple[float, float]:
    """Return how far a character stands above the baseline, and how far its tail hangs below."""
    if not character.islower():
        return _CAPITAL_PX, _TAIL_PX / 2 if character in _TAILED_CAPITALS else 0.0
    if character in _BOTH:
        return _CAPITAL_PX, _TAIL_PX
    if character in _TAILED:
        return _X_PX, _TAIL_PX
    return (_CAPITAL_PX if character in _TALL_SMALL else _X_PX), 0.0
