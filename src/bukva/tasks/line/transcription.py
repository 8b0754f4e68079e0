"""What transcribers mark and nobody writes, taken out of texts corpus by corpus.

Who struck a word out wanted it gone: it is no part of the text. Where the ink says more than the
text does, nothing can be learnt from the line; where the text says what is not written, it cannot
be scored either. The marks, and how many lines have each: `docs/lines.md`.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final, Literal, NamedTuple, TypeAlias

from bukva.tasks.line.charset import normalise

Mark: TypeAlias = Literal[
    "table quotes", "struck out", "unreadable", "superscript", "dash", "insertion", "long s",
    "table", "foreign letters", "formula",
]  # fmt: skip
Use: TypeAlias = Literal["all", "test", "none"]

_INCOMPLETE: Final = "unreadable"
_FALSE: Final = ("foreign letters", "formula")


class Transcription(NamedTuple):
    """What a line says, as far as its corpus tells.

    Attributes:
        text: Without marks, normalised.
        marks: Those that were found, each once.
        use: `test` where the ink says more than the text: nothing is learnt from it; `none` where
            the text says what is not written.
    """

    text: str
    marks: tuple[Mark, ...]
    use: Use


class _Rule(NamedTuple):
    mark: Mark
    pattern: re.Pattern[str]
    become: str | Callable[[re.Match[str]], str]


_UNREADABLE: Final = _Rule("unreadable", re.compile(r"><|<>"), " ")
_STRUCK_OUT: Final = _Rule("struck out", re.compile(r">[^<>]+<"), "")
_SUPERSCRIPT: Final = _Rule("superscript", re.compile(r"\^"), "")
_DASH: Final = _Rule("dash", re.compile(r"(?<!\w)_(?!\w)"), "-")

RULES: Final[Mapping[str, tuple[_Rule, ...]]] = {
    "testaments": (
        _UNREADABLE, _STRUCK_OUT, _SUPERSCRIPT, _DASH, _Rule("long s", re.compile("ſ"), "s"),
    ),
    "copiste": (
        _Rule("formula", re.compile(r".*[{}].*"), lambda match: match[0]),
        # A lone dash stands for a foreign word; at an end of a word, for one of its letters.
        _Rule(
            "foreign letters",
            re.compile(
                r".*(?:-\s-|[:(\[,;/]\s?-(?=[\s)\],;.]|$)|(?:^|\s)-[,;)]|(?<![\w-])-[^\W\d]{2}"
                r"|[^\W\d]-(?=[\s,)\]])|--).*"
            ),
            lambda match: match[0],
        ),
        _UNREADABLE, _STRUCK_OUT,
    ),
    "peraire": (
        _STRUCK_OUT, _SUPERSCRIPT, _Rule("struck out", re.compile("#"), ""),
        _Rule("insertion", re.compile("⋎"), ""),
    ),
    "mss19": (
        _UNREADABLE, _Rule("unreadable", re.compile(r"\[\[\]\]"), " "), _STRUCK_OUT,
        _Rule("struck out", re.compile(r"\[\[[^\]]+\]\]"), ""), _SUPERSCRIPT, _DASH,
    ),
    "lectaurep-repertoires": (
        _Rule("unreadable", re.compile("XXX"), " "), _SUPERSCRIPT,
        _Rule("table", re.compile("[~|]"), " "),
    ),
    "celestine": (
        _Rule("struck out", re.compile("⟦[^⟧]*⟧"), ""),
        _Rule("unreadable", re.compile(r"\[\?+\]"), " "), _SUPERSCRIPT,
    ),
}  # fmt: skip
"""By collection, in the order in which they are applied; `[` and `]` of Peraire are his own."""

_NO_PROSE: Final = re.compile(
    r"lu les condition|participation et j|manuscrit sera|anonymis|BAnQ|sous licence|CC-BY"
    r"|fins non|commerciales|activités de recherche|wikitexte|référence du texte",
    re.IGNORECASE,
)


def transcribe(text: str, collection: str) -> Transcription:
    """Return what a line of a collection says; of one without rules, as it is."""
    found: list[Mark] = []
    unquoted = _take_table_quotes_off(text)
    if unquoted != text:
        found.append("table quotes")
    said = unquoted
    for rule in RULES.get(collection, ()):
        said, count = rule.pattern.subn(rule.become, said)
        if count:
            found.append(rule.mark)
    marks = tuple(dict.fromkeys(found))
    use: Use = "all"
    if _INCOMPLETE in marks:
        use = "test"
    if any(mark in _FALSE for mark in marks):
        use = "none"
    return Transcription(normalise(said), marks, use)


def is_prose(text: str) -> bool:
    """Return whether a line of French is more than what every volunteer had to copy.

    574 lines of Copiste are one statement of consent, 277 are names of texts: a language model
    would know them by heart.
    """
    return len(text) > 3 and _NO_PROSE.search(text) is None


def _take_table_quotes_off(text: str) -> str:
    r"""Undo quotes of a table around a text with quotes of its own: seven are `\"a \"\"b\"\"\"`."""
    if not text.startswith('\\"'):
        return text
    quoted = text.replace('\\"', '"')
    inner = quoted[1:-1] if quoted.endswith('"') else quoted[1:]
    return inner.replace('""', '"')
