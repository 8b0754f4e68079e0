"""Lines set in handwriting fonts, letter by letter from masks that are kept.

Laying out whole lines by Pillow takes 0.5 to 3.6 ms each; of kept letters a line is put together in
a fifth of a millisecond. Letters of joined fonts meet where the font's own advance puts them, with
its kerning; what a font does beyond pairs of letters is not done.

Shapes: H x W pixels of a line, h x w of a letter.
"""

from functools import cache
from typing import Final, NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from bukva.core.arrays import UInt8Array
from bukva.core.fonts import HANDWRITING_FONTS, OpenFont
from bukva.core.samples import Split

FONTS: Final = "fonts"
"""The corpus, as `bukva.core.corpora.terms` names it."""

HELD_BACK: Final = ("caveat", "marck-script", "shantell-sans")
"""Fonts of the test lines, never learnt from: one half joined, one joined, one upright."""

_CAPITALS_ALONE: Final = ("amatic-sc",)
"""Fonts whose small letters are small capitals: a case that nobody can tell is not taught."""

_TALL: Final = "ЇбдруЩфÉlgp"
_TALL_PX: Final = 62
_PAD_PX: Final = 160
_SPACE: Final = (0.75, 1.6)
"""Of the font's own space: how wide it is, at least and at most."""
_WIDE_SPACED: Final = 0.2
"""Share of the lines whose words stand far apart, as many a hand has them."""
_TRACKING: Final = 0.03
"""Of the em: letters of fonts that are not joined stand closer or wider by so much."""
_JOINED: Final = (
    "bad-script", "caveat", "comforter", "great-vibes", "marck-script", "pacifico",
)  # fmt: skip


class Mask(NamedTuple):
    """A letter as it is put on a line.

    Attributes:
        ink_hw: 0..255.
        left: Pixels from the pen's place to its first column.
        top: Pixels from the baseline down to its first row, mostly negative.
    """

    ink_hw: UInt8Array
    left: int
    top: int


def fonts_of(split: Split) -> tuple[OpenFont, ...]:
    """Return the fonts of a split's lines; those that validate are those that are learnt from."""
    is_test = split == "test"
    return tuple(font for font in HANDWRITING_FONTS if (font.name in HELD_BACK) == is_test)


def set_in_font(text: str, font: OpenFont, rng: np.random.Generator) -> tuple[UInt8Array, str]:
    """Return the ink of a line `(H, W)`, cut to its ink, and what it says in that font.

    What the font lacks is left out; capitals stand for all where it has no small letters.
    """
    if font.name in _CAPITALS_ALONE:
        text = text.upper()
    said = "".join(each for each in text if font.find_subset(each) is not None)
    said = " ".join(said.split())
    kept = _keep(font.name)
    space = float(rng.uniform(*_SPACE))
    if rng.random() < _WIDE_SPACED:
        space *= float(rng.uniform(1.3, 3.0))
    is_joined = font.name in _JOINED
    tracking = 0.0 if is_joined else float(rng.uniform(-1, 2)) * _TRACKING * kept.em_px
    placed: list[tuple[Mask, int]] = []
    pen = 0.0
    for character, after in zip(said, [*said[1:], ""], strict=True):
        advance = kept.advance(character, after)
        if character == " ":
            pen += advance * space
            continue
        placed.append((kept.mask(character), round(pen)))
        pen += advance + tracking
    return compose(placed), said


def compose(placed: list[tuple[Mask, int]]) -> UInt8Array:
    """Return the ink `(H, W)` of letters, each at a place along the baseline; cut to them."""
    if not placed:
        return np.zeros((_TALL_PX, 1), dtype=np.uint8)
    top = min(mask.top for mask, _ in placed)
    bottom = max(mask.top + mask.ink_hw.shape[0] for mask, _ in placed)
    left = min(x + mask.left for mask, x in placed)
    right = max(x + mask.left + mask.ink_hw.shape[1] for mask, x in placed)
    line_HW = np.zeros((bottom - top, right - left), dtype=np.uint8)
    for mask, x in placed:
        height, width = mask.ink_hw.shape
        row, column = mask.top - top, x + mask.left - left
        part_hw = line_HW[row : row + height, column : column + width]
        np.maximum(part_hw, mask.ink_hw, out=part_hw)
    return line_HW


class _KeptLetters:
    """Masks and advances of one font, drawn when they are first asked for."""

    def __init__(self, font: OpenFont) -> None:
        self._font = font
        _, top, _, bottom = font.open("cyrillic", 100).getbbox(_TALL, anchor="ls")
        # The size at which the tallest letters, from top to tail, are as high in all fonts.
        self.em_px = max(8, round(100 * _TALL_PX / (bottom - top)))
        self._opened = {subset: font.open(subset, self.em_px) for subset in font.subsets}
        self._masks: dict[str, Mask] = {}
        self._advances: dict[tuple[str, str], float] = {}

    def mask(self, character: str) -> Mask:
        """Return a letter by itself."""
        if character not in self._masks:
            self._masks[character] = self._draw(character)
        return self._masks[character]

    def advance(self, character: str, after: str) -> float:
        """Return how far the pen goes on before the next letter, kerning included."""
        pair = (character, after)
        if pair not in self._advances:
            self._advances[pair] = self._measure(character, after)
        return self._advances[pair]

    def _draw(self, character: str) -> Mask:
        opened = self._opened[self._font.find_subset(character) or "latin"]
        size = (2 * _PAD_PX + 3 * self.em_px, 2 * _PAD_PX + self.em_px)
        canvas = Image.new("L", size)
        place = (_PAD_PX, _PAD_PX)
        ImageDraw.Draw(canvas).text(place, character, fill=255, font=opened, anchor="ls")
        box = canvas.getbbox() or (_PAD_PX, _PAD_PX, _PAD_PX + 1, _PAD_PX + 1)
        ink_hw = np.asarray(canvas.crop(box), dtype=np.uint8)
        return Mask(ink_hw, box[0] - _PAD_PX, box[1] - _PAD_PX)

    def _measure(self, character: str, after: str) -> float:
        subset = self._font.find_subset(character) or "latin"
        opened = self._opened[subset]
        # Letters of two files know nothing of each other.
        if not after or self._font.find_subset(after) != subset:
            return float(opened.getlength(character))
        return float(opened.getlength(character + after) - opened.getlength(after))


@cache
def _keep(font_name: str) -> _KeptLetters:
    return _KeptLetters(next(font for font in HANDWRITING_FONTS if font.name == font_name))
