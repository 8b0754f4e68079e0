"""The characters that a line can hold, and the project's one rule for comparing texts."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

from bukva.errors import CharsetError

BLANK: Final = 0
"""The index that CTC puts between characters; it stands for none."""

_ALIKE: Final = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u02bc\u02b9\u2032\u00b4`", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        "\u2026": "...",
        "\u00ad": None,  # the soft hyphen, and characters without width
        "\u200b": None,
        "\ufeff": None,
    }
)
_BLANKS: Final = re.compile(r"\s+")


def normalise(text: str) -> str:
    """Return a text as it is learnt and compared: what a hand writes alike is written alike here.

    NFC; runs of blanks, no-break ones too, to one space, none at the ends; apostrophes to `'`,
    quotation marks but « » to `"`, dashes to `-`. What was written is kept wherever a text is
    stored or exported; this is for labels and scores.
    """
    composed = unicodedata.normalize("NFC", text).translate(_ALIKE)
    return _BLANKS.sub(" ", composed).strip()


@dataclass(frozen=True)
class Charset:
    """Characters in order; that of index 1 is the first, index 0 is CTC's blank.

    Attributes:
        characters: Each once; the space is one of them.
    """

    characters: str

    def __post_init__(self) -> None:
        """Refuse what comes twice."""
        twice = [each for each, count in Counter(self.characters).items() if count > 1]
        if twice:
            raise CharsetError(f"Expected each character once in a charset, got {twice} again.")

    @cached_property
    def _places(self) -> dict[str, int]:
        return {character: place for place, character in enumerate(self.characters, start=1)}

    def __len__(self) -> int:
        """How many outputs a network needs: one for each character, and one for the blank."""
        return len(self.characters) + 1

    def encode(self, text: str) -> list[int]:
        """Return the index of each character of a text.

        Raises:
            CharsetError: If it holds others; names them.
        """
        unknown = self.find_unknown([text])
        if unknown:
            raise CharsetError(
                f"Expected characters of the charset in {text!r}, got {sorted(unknown)}: "
                "normalise the text, leave it out, or take a larger charset."
            )
        return [self._places[character] for character in text]

    def decode(self, indices: Iterable[int]) -> str:
        """Return the text of indices; blanks are none. Repeats are kept: collapsing is CTC's.

        Raises:
            CharsetError: If an index is not one of the charset's.
        """
        chosen = [int(index) for index in indices if index != BLANK]
        if chosen and not 1 <= min(chosen) <= max(chosen) <= len(self.characters):
            message = f"Expected indices of 0 to {len(self.characters)}, got {chosen}."
            raise CharsetError(message)
        return "".join(self.characters[index - 1] for index in chosen)

    def find_unknown(self, texts: Iterable[str]) -> Counter[str]:
        """Return how often characters come that the charset does not have."""
        counts = Counter(character for text in texts for character in text)
        return Counter({each: n for each, n in counts.items() if each not in self.characters})

    def extend(self, characters: Iterable[str]) -> "Charset":
        """Return a charset with further characters behind those of this one."""
        new = sorted({each for each in characters if each not in self.characters})
        return Charset(self.characters + "".join(new))


def least_timesteps(indices: Sequence[int]) -> int:
    """Return how many steps CTC needs for a label: a blank stands between repeated characters."""
    return len(indices) + sum(one == other for one, other in pairwise(indices))


_SHARED: Final = " 0123456789.,:;!?'\"()[]-+=/%&*#№°§€$_<>«»"
_CYRILLIC: Final = "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя"
_LATIN: Final = "abcdefghijklmnopqrstuvwxyz"
_ACCENTED: Final = "àâäçéèêëîïôöœùûüÿæáíóúñ"
_ACCENTED_CAPITALS: Final = "ÀÂÄÇÉÈÊËÎÏÔÖŒÙÛÜÁÍÓÚÑ"

UKRAINIAN: Final = Charset(_SHARED + _CYRILLIC + _CYRILLIC.upper())
FRENCH: Final = Charset(_SHARED + _LATIN + _LATIN.upper() + _ACCENTED + _ACCENTED_CAPITALS)
UNION: Final = UKRAINIAN.extend(FRENCH.characters)
"""Of Ukrainian and French in one model."""

CHARSETS: Final = {"ukrainian": UKRAINIAN, "french": FRENCH, "union": UNION}
"""By the name that parameters give them."""
