"""Lines made as they are needed, each with what it says; the same for the same generator.

Shapes: H x W pixels of a line, W its own.
"""

from typing import Final

import numpy as np
import pandas as pd

from bukva.core.arrays import UInt8Array
from bukva.core.samples import Split
from bukva.tasks.line.character_lines import set_in_characters
from bukva.tasks.line.characters import Characters
from bukva.tasks.line.charset import CHARSETS, least_timesteps
from bukva.tasks.line.degradation import bend, draw_nothing, show_neighbours, wear
from bukva.tasks.line.font_lines import FONTS, fonts_of, set_in_font
from bukva.tasks.line.framing import STRIDE
from bukva.tasks.line.parameters import SynthesisParameters
from bukva.tasks.line.photographed import frame_photograph, photograph_blank, photograph_line
from bukva.tasks.line.sentences import Sentences, own_texts

NOTHING: Final = "nothing"
"""What lines that say nothing are set in."""
_LEAST_STEPS: Final = 1.5
"""Of the network for each character: nobody reads what is narrower."""
_PHOTOGRAPHED: Final = 0.6
"""Share of the lines that say nothing that are photographed, which takes ten times as long."""
_LEAST_FOUND: Final = 0.6
_REDRAWS: Final = 12


class LineMaker:
    """Makes lines. Holds data only, so that it can be sent to other processes.

    Args:
        parameters: How lines are made.
        texts: Sentences by language and split, as `bukva.tasks.line.sentences` has them; those that
            the project brings, by default.
        characters: Of corpora; without them, all lines are set in fonts.
        split: Whose fonts, sentences and characters are taken.
    """

    def __init__(
        self,
        parameters: SynthesisParameters,
        texts: pd.DataFrame | None = None,
        characters: Characters | None = None,
        split: Split = "train",
    ) -> None:
        self.parameters = parameters
        self.charset = CHARSETS[parameters.charset]
        chosen = own_texts() if texts is None else texts
        self.sentences = Sentences.of(chosen, split, self.charset, parameters.languages)
        self.fonts = fonts_of(split)
        self.characters = characters.of_split(split) if characters else None

    def draw(self, count: int, rng: np.random.Generator) -> tuple[list[UInt8Array], list[str]]:
        """Return lines `(48, W)`, ink high on zero, W a multiple of 4, and what each says."""
        images, texts, _ = self.draw_named(count, rng)
        return images, texts

    def draw_named(
        self, count: int, rng: np.random.Generator
    ) -> tuple[list[UInt8Array], list[str], list[str]]:
        """Return lines, what each says, and what each is set in: `fonts/caveat`, `emnist`."""
        images: list[UInt8Array] = []
        texts: list[str] = []
        names: list[str] = []
        for _ in range(count):
            ink_HW, text, name = self._draw_one(rng)
            if images and rng.random() < self.parameters.neighbours * self.parameters.strength:
                show_neighbours(ink_HW, images[int(rng.integers(len(images)))], rng)
            images.append(_fill_up(ink_HW))
            texts.append(text)
            names.append(name)
        return images, texts, names

    def _draw_one(self, rng: np.random.Generator) -> tuple[UInt8Array, str, str]:
        if rng.random() < self.parameters.empty:
            return self._draw_nothing(rng), "", NOTHING
        set_hw, text, name = self._set(rng)
        least_px = _LEAST_STEPS * STRIDE * least_timesteps(self.charset.encode(text))
        ink_HW = bend(set_hw, rng, self.parameters.strength, least_px)
        if rng.random() < self.parameters.photographed:
            framed = frame_photograph(photograph_line(ink_HW, rng))
            # Where little of a line was found, it does not show what it says.
            if framed and framed.ink_width >= max(least_px, _LEAST_FOUND * ink_HW.shape[1]):
                return framed.ink_hw, text, name
        return wear(ink_HW, rng, self.parameters), text, name

    def _draw_nothing(self, rng: np.random.Generator) -> UInt8Array:
        is_photographed = rng.random() < _PHOTOGRAPHED
        framed = frame_photograph(photograph_blank(rng)) if is_photographed else None
        return framed.ink_hw if framed else draw_nothing(rng)

    def _set(self, rng: np.random.Generator) -> tuple[UInt8Array, str, str]:
        """Return a line as it was set: not yet bent, not yet in the frame."""
        characters = self.characters if rng.random() < self.parameters.characters else None
        for _ in range(_REDRAWS):
            text = self._draw_text(rng)
            if characters:
                overlap = self.parameters.overlap
                set_hw, said, name = set_in_characters(text, characters, overlap, rng)
            else:
                font = self.fonts[int(rng.integers(len(self.fonts)))]
                set_hw, said = set_in_font(text, font, rng)
                name = f"{FONTS}/{font.name}"
            if said:
                return set_hw, said, name
        return draw_nothing(rng), "", NOTHING

    def _draw_text(self, rng: np.random.Generator) -> str:
        parameters = self.parameters
        text = self.sentences.draw(rng, parameters.max_length, parameters.words)
        if rng.random() >= parameters.capitals:
            return text
        capitals = text.upper()
        return capitals if not self.charset.find_unknown([capitals]) else text


def _fill_up(ink_HW: UInt8Array) -> UInt8Array:
    """Return a line with empty columns at its right, so that its width is a multiple of 4."""
    lacking = -ink_HW.shape[1] % STRIDE
    return np.pad(ink_HW, ((0, 0), (0, lacking))) if lacking else ink_HW
