"""How far a text that was read is from the one that was written: error rates of characters, words.

One rule for the whole project: edits (Levenshtein 1966), summed over lines and divided by what the
references hold, so that long lines count for more. Words are parted at spaces. An empty reference
has no characters, and all that is read of it is insertions. Who compares texts normalises them.
"""

from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple, Self

from rapidfuzz.distance import Levenshtein

from bukva.errors import TableError


class Edits(NamedTuple):
    """Of one line, or summed over lines.

    Attributes:
        characters: Of the reference.
        character_edits: Insertions, deletions and substitutions.
        words: Of the reference.
        word_edits: The same for words.
    """

    characters: int
    character_edits: int
    words: int
    word_edits: int

    @classmethod
    def between(cls, reference: str, found: str) -> Self:
        """Count what it takes to make one text of the other."""
        words, found_words = reference.split(), found.split()
        return cls(
            len(reference),
            Levenshtein.distance(reference, found),
            len(words),
            Levenshtein.distance(words, found_words),
        )

    @classmethod
    def sum(cls, edits: "Iterable[Edits]") -> Self:
        """Add up lines."""
        columns = list(zip(*edits, strict=True))
        return cls(*(sum(column) for column in columns)) if columns else cls(0, 0, 0, 0)

    @property
    def cer(self) -> float:
        """Edits for each character of the reference; may be above 1.

        Raises:
            TableError: If no reference holds a character.
        """
        return _divide(self.character_edits, self.characters)

    @property
    def wer(self) -> float:
        """Edits for each word of the reference; may be above 1.

        Raises:
            TableError: If no reference holds a word.
        """
        return _divide(self.word_edits, self.words)


class Edit(NamedTuple):
    """What stands in the reference, and what was read instead; one of both may be empty."""

    reference: str
    found: str


def list_edits(reference: str, found: str) -> list[Edit]:
    """Return the edits between two texts, character by character."""
    return [
        Edit(
            reference[edit.src_pos] if edit.tag != "insert" else "",
            found[edit.dest_pos] if edit.tag != "delete" else "",
        )
        for edit in Levenshtein.editops(reference, found)
    ]


def are_right(reference: Sequence[Hashable], found: Sequence[Hashable]) -> list[bool]:
    """Return for each item that was found whether the alignment keeps it."""
    kept = [False] * len(found)
    for block in Levenshtein.opcodes(reference, found):
        if block.tag == "equal":
            kept[block.dest_start : block.dest_end] = [True] * (block.dest_end - block.dest_start)
    return kept


def _divide(edits: int, total: int) -> float:
    if not total:
        message = "Expected a reference that is not empty, got none: there is no rate of errors."
        raise TableError(message)
    return edits / total
