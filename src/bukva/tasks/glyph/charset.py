"""The alphabet: 33 Ukrainian letters in both cases and 10 digits.

A *label* is a digit or a lower-case letter (43 of them), what the label head of a network
predicts. A *symbol* is what a person writes: a digit, or a letter in one of its cases (76). What
shows no symbol (a dot, a scribble, two letters at once) has a class of its own beside the labels.
"""

from typing import Final

from bukva.core.alphabets import DIGITS, UKRAINIAN
from bukva.errors import CharsetError

LETTERS: Final = UKRAINIAN
LABELS: Final = DIGITS + LETTERS
NO_SYMBOL: Final = "∅"
CLASSES: Final = LABELS + NO_SYMBOL
"""What a label head tells apart that also knows what is no symbol."""
SYMBOLS: Final = DIGITS + LETTERS + LETTERS.upper()

DISTINCT_FORM: Final = frozenset("абде")
"""Letters whose capital has another shape in print and in cursive: size is not needed."""

_INDEX_OF_LABEL: Final = {label: index for index, label in enumerate(LABELS)}


def encode(label: str) -> int:
    """Return the index of a label in `LABELS`.

    Raises:
        CharsetError: If `label` is not one digit or one lower-case Ukrainian letter.
    """
    try:
        return _INDEX_OF_LABEL[label]
    except KeyError:
        message = f"Expected one of the {len(LABELS)} labels '{LABELS}', got {label!r}."
        raise CharsetError(message) from None


def decode(index: int) -> str:
    """Return the label at an index, the inverse of `encode`.

    Raises:
        CharsetError: If `index` is not in 0..42.
    """
    if not 0 <= index < len(LABELS):
        raise CharsetError(f"Expected an index in 0..{len(LABELS) - 1}, got {index}.")
    return LABELS[index]


def is_letter(label: str) -> bool:
    """Return whether a label is a letter, and so has a case."""
    return label in LETTERS


def to_symbol(label: str, is_uppercase: bool | None) -> str:
    """Return the symbol as written: `("ґ", True)` gives `"Ґ"`; a digit stays as it is."""
    encode(label)
    return label.upper() if is_uppercase and is_letter(label) else label


def from_symbol(symbol: str) -> tuple[str, bool | None]:
    """Return label and case of a symbol: `"Ґ"` gives `("ґ", True)`, `"7"` gives `("7", None)`.

    Raises:
        CharsetError: If `symbol` is not one of the 76 symbols.
    """
    if len(symbol) != 1 or symbol not in SYMBOLS:
        raise CharsetError(f"Expected one of the {len(SYMBOLS)} symbols, got {symbol!r}.")
    label = symbol.lower()
    return label, (symbol != label if is_letter(label) else None)
