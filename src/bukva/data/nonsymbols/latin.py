"""Latin letters that no Ukrainian letter or digit looks like, in print or in cursive.

Left out are those that a Ukrainian hand writes too: A B C E H I K M O P T X Y (print), D g (cursive
д), U u (и), W w (ш), m (т), n (п), r (г), b (ь, б), G (6, б), J j (cursive І), l (1), Q (О, а), S s
(5), t (т), V v (in EMNIST many are a U), Z z (2, з), d (д), q (9), y (у) and the like.
"""

from functools import lru_cache
from typing import Final

import numpy as np

from bukva.data.nonsymbols.kinds import Variation
from bukva.data.samples import UInt8Array
from bukva.data.strokes.alphabet import Form, load_alphabet, parse_stroke
from bukva.data.strokes.hand import draw_hand
from bukva.data.strokes.writing import draw_form

STRANGE_LETTERS: Final = "FLNRfh"
"""The letters that are read from EMNIST."""

_STROKES: Final = {
    "F": ("0,0 0,100", "0,100 55,100", "0,52 42,52"),
    "L": ("0,100 0,0! 52,0",),
    "N": ("0,0 0,100! 58,0! 58,100",),
    "R": ("0,0 0,100", "0,100 38,97 52,76 38,54 0,50", "20,50 56,0"),
    "V": ("0,100 30,0! 60,100",),
    "f": ("50,92 34,100 20,88 18,60 18,0", "0,55 42,55"),
    "h": ("0,100 0,0", "0,38 18,56 36,54 44,38 44,0"),
}


def draw_latin(rng: np.random.Generator, _variation: Variation) -> UInt8Array:
    """Return a page with a Latin letter, by the hands that write the stroke alphabet."""
    forms = load_latin_forms()
    return draw_form(forms[rng.integers(len(forms))], draw_hand(rng), rng)


@lru_cache(maxsize=1)
def load_latin_forms() -> tuple[Form, ...]:
    """Return one form of each letter, in the em square of the stroke alphabet."""
    frame = load_alphabet().frame
    return tuple(
        Form(letter, "print", tuple(parse_stroke(text, letter, frame) for text in strokes))
        for letter, strokes in _STROKES.items()
    )
