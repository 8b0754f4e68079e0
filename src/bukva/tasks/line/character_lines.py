"""Lines set in characters that people wrote one by one: one hand a line, where the corpus tells.

The corpora cut their characters to one size. On a line each gets the height that it has among
others: a small letter is lower than a capital, and some have tails.

Shapes: N characters, S x S pixels of one as it is kept, H x W of a line.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import cv2
import numpy as np
import pandas as pd

from bukva.core.arrays import UInt8Array
from bukva.core.samples import Split
from bukva.tasks.line.font_lines import Mask, compose

SIDE_PX: Final = 28
_CAPITAL_PX: Final = 40.0
_X_PX: Final = 26.0
_TAIL_PX: Final = 13.0
_SPACE_PX: Final = (12, 26)
_LEAST_LETTERS: Final = 3

_TAILED: Final = frozenset("gjpqyуцщрзд")
_TAILED_CAPITALS: Final = frozenset("ЦЩДQ")
_TALL_SMALL: Final = frozenset("bdfhkltiбвійї")
_BOTH: Final = frozenset("fф")
"""Small letters that are tall and have a tail."""


@dataclass(frozen=True)
class Hands:
    """Characters by hand.

    Attributes:
        table: One row a character: `corpus`, `hand`, `symbol`, `split`.
        images_NSS: Row-aligned with it: each cut to its ink, at the left and the top.
    """

    table: pd.DataFrame
    images_NSS: UInt8Array
    _made: dict[str, "HandIndex"] = field(default_factory=dict, compare=False, repr=False)

    def of_split(self, split: Split) -> "HandIndex":
        """Return what is written by the hands of a split."""
        is_chosen = self.table["split"].eq(split).to_numpy()
        return HandIndex.of(self.table[is_chosen], self.images_NSS[is_chosen])


@dataclass(frozen=True)
class HandIndex:
    """The characters of some hands, by corpus, hand and symbol.

    Attributes:
        places: By hand, `corpus/hand`: the rows of each symbol.
        images_NSS: The characters.
    """

    places: Mapping[str, Mapping[str, np.ndarray]]
    images_NSS: UInt8Array

    @classmethod
    def of(cls, table: pd.DataFrame, images_NSS: UInt8Array) -> "HandIndex":
        """Sort characters by who wrote them."""
        names = table["corpus"].astype(str) + "/" + table["hand"].astype(str)
        numbered = pd.DataFrame({"name": names.to_numpy(), "symbol": table["symbol"].to_numpy()})
        places: dict[str, dict[str, np.ndarray]] = {}
        for (name, symbol), rows in numbered.groupby(["name", "symbol"]):
            places.setdefault(str(name), {})[str(symbol)] = rows.index.to_numpy()
        return cls(places, np.ascontiguousarray(images_NSS))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The hands, in order; a corpus without hands is one."""
        return tuple(sorted(self.places))


def set_in_hand(
    text: str, hands: HandIndex, overlap: tuple[float, float], rng: np.random.Generator
) -> tuple[UInt8Array, str, str]:
    """Return the ink of a line, what it says in that hand, and whose hand it is.

    Words of which the hand lacks a letter are left out, accents and points are taken off where
    it lacks these alone; nothing is said where too little is left.
    """
    name = hands.names[int(rng.integers(len(hands.names)))]
    written = hands.places[name]
    words = [_write_with(word, written) for word in text.split()]
    said = " ".join(word for word in words if word)
    if len(said) < min(_LEAST_LETTERS, len(text)):
        return np.zeros((1, 1), dtype=np.uint8), "", name
    return _set(said, written, hands.images_NSS, overlap, rng), said, name


def _write_with(word: str, written: Mapping[str, np.ndarray]) -> str:
    """Return a word without points that are not written; nothing where a letter is missing."""
    plain = "".join(each for each in word if each in written or each.isalnum())
    return plain if all(each in written for each in plain) else ""


def _set(
    said: str, written: Mapping[str, np.ndarray], images_NSS: UInt8Array,
    overlap: tuple[float, float], rng: np.random.Generator,
) -> UInt8Array:  # fmt: skip
    share = float(rng.uniform(*overlap))
    size = float(rng.uniform(0.9, 1.1))
    placed: list[tuple[Mask, int]] = []
    pen = 0.0
    for character in said:
        if character == " ":
            pen += float(rng.uniform(*_SPACE_PX))
            continue
        rows = written[character]
        image_SS = images_NSS[int(rows[int(rng.integers(len(rows)))])]
        mask = _scale(image_SS, character, size * float(rng.uniform(0.94, 1.06)))
        placed.append((mask, round(pen)))
        # The margin that the corpus cut off, less what this line's letters run into each other.
        pen += mask.ink_hw.shape[1] * (1 - share) + 4.0
    return compose(placed)


def _scale(image_SS: UInt8Array, character: str, size: float) -> Mask:
    """Return a character at the height that it has on a line, and where it stands there."""
    above, below = extent_px(character)
    height, width = cut_hw(image_SS)
    tall = max(4, round((above + below) * size))
    wide = max(3, round(width * tall / height))
    # A dash or an l is not as wide as it is high: nothing grows beyond what letters are.
    wide = min(wide, round(1.6 * _CAPITAL_PX))
    scaled = cv2.resize(image_SS[:height, :width], (wide, tall), interpolation=cv2.INTER_LINEAR)
    return Mask(np.asarray(scaled, dtype=np.uint8), 0, -round(above * size))


def cut_hw(image_SS: UInt8Array) -> tuple[int, int]:
    """Return height and width of a character that lies at the left and the top."""
    rows = np.flatnonzero(image_SS.any(axis=1))
    columns = np.flatnonzero(image_SS.any(axis=0))
    if not len(rows):
        return 1, 1
    return int(rows[-1]) + 1, int(columns[-1]) + 1


def extent_px(character: str) -> tuple[float, float]:
    """Return how far a character stands above the baseline, and how far its tail hangs below."""
    if not character.islower():
        return _CAPITAL_PX, _TAIL_PX / 2 if character in _TAILED_CAPITALS else 0.0
    if character in _BOTH:
        return _CAPITAL_PX, _TAIL_PX
    if character in _TAILED:
        return _X_PX, _TAIL_PX
    return (_CAPITAL_PX if character in _TALL_SMALL else _X_PX), 0.0
