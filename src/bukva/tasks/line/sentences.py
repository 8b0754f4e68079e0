"""What made lines say: pieces of sentences, words in no order, numbers, dates.

Texts are split like images: what a test line says was never learnt from.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from bukva.core.samples import Split
from bukva.errors import TableError
from bukva.tasks.line import own_text
from bukva.tasks.line.answer import Language
from bukva.tasks.line.charset import Charset, normalise

COLUMNS: Final = ("text", "language", "corpus", "split")
OWN: Final = "own_text"
"""The corpus of the sentences that the project brings."""

_LEAST_LENGTH: Final = 12
_OWN_SPLITS: Final[tuple[Split, ...]] = ("train",) * 7 + ("valid", "test", "test")
_STREETS: Final[Mapping[Language, tuple[str, ...]]] = {
    "uk": ("вул. Садова", "пров. Тихий", "с. Яблунівка", "кв.", "буд.", "м. Київ", "№", "грн"),
    "fr": ("rue Neuve", "place du Marché", "Mr.", "Mme", "n°", "fr.", "p.", "St"),
}
_MONTHS: Final[Mapping[Language, str]] = {
    "uk": "січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
}


def own_texts() -> pd.DataFrame:
    """Return the sentences that the project brings, dealt out to three splits."""
    rows = [
        (normalise(text), language, OWN, _OWN_SPLITS[place % len(_OWN_SPLITS)])
        for language, texts in (("uk", own_text.UKRAINIAN), ("fr", own_text.FRENCH))
        for place, text in enumerate(texts)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


@dataclass(frozen=True)
class Sentences:
    """The sentences of one split, of which lines are made.

    Attributes:
        by_language: The words of each sentence.
        weights: How often each language is drawn.
    """

    by_language: Mapping[Language, tuple[tuple[str, ...], ...]]
    weights: Mapping[Language, float]

    @classmethod
    def of(
        cls, texts: pd.DataFrame, split: Split, charset: Charset, weights: Mapping[Language, float]
    ) -> "Sentences":
        """Choose among texts those of a split that hold no other characters.

        Raises:
            TableError: If nothing is left of a language that is asked for.
        """
        known = set(charset.characters)
        chosen = texts[texts["split"].eq(split)]
        by_language: dict[Language, tuple[tuple[str, ...], ...]] = {}
        for language in [name for name, weight in weights.items() if weight > 0]:
            sentences = chosen["text"][chosen["language"].eq(language)]
            by_language[language] = _split_words(sentences, known)
            if not by_language[language]:
                raise TableError(
                    f"Expected sentences of {language!r} for {split!r} within the charset, got "
                    f"none of {len(sentences)}: add a corpus of texts, or take another charset."
                )
        return cls(by_language, {name: weights[name] for name in by_language})

    def draw(self, rng: np.random.Generator, max_length: int, loose: float) -> str:
        """Return what one line says.

        Args:
            rng: Decides.
            max_length: In characters.
            loose: Share of the lines that are no piece of a sentence.
        """
        names = list(self.by_language)
        total = sum(self.weights.values())
        language = names[rng.choice(len(names), p=[self.weights[each] / total for each in names])]
        sentences = self.by_language[language]
        kind = rng.random()
        length = int(rng.integers(min(_LEAST_LENGTH, max_length), max_length + 1))
        if kind < 0.35 * loose:
            return _cut(_draw_loose(rng, language), 0, max_length)
        if kind < 0.55 * loose:
            sentence = sentences[int(rng.integers(len(sentences)))]
            return sentence[int(rng.integers(len(sentence)))][:max_length]
        if kind < loose:
            picks = rng.integers(len(sentences), size=max(1, length // 6))
            words = [_pick(sentences[int(pick)], rng) for pick in picks]
            return _cut(words, 0, length)
        return _go_on(sentences, int(rng.integers(len(sentences))), length, rng)


def _split_words(sentences: Iterable[str], known: set[str]) -> tuple[tuple[str, ...], ...]:
    return tuple(
        tuple(words) for each in sentences if set(each) <= known and (words := each.split())
    )


def _go_on(
    sentences: tuple[tuple[str, ...], ...], place: int, length: int, rng: np.random.Generator
) -> str:
    """Return what stands on one line of a text: it begins and ends within sentences."""
    words = list(sentences[place])
    start = int(rng.integers(len(words))) if rng.random() < 0.7 else 0
    words = words[start:]
    if sum(map(len, words)) + len(words) < length and rng.random() < 0.8:
        words += sentences[(place + 1) % len(sentences)]
    return _cut(words, 0, length)


def _pick(words: tuple[str, ...], rng: np.random.Generator) -> str:
    return words[int(rng.integers(len(words)))]


def _cut(words: Iterable[str], start: int, max_length: int) -> str:
    """Return words from a place on, as many as the length allows; the first is cut if it must."""
    chosen: list[str] = []
    length = -1
    for word in list(words)[start:]:
        if chosen and length + 1 + len(word) > max_length:
            break
        chosen.append(word)
        length += 1 + len(word)
    return " ".join(chosen)[:max_length].strip()


def _draw_loose(rng: np.random.Generator, language: Language) -> list[str]:
    """Return the words of a date, an amount, an address or a row of numbers."""
    day, year, small, large = (
        int(each) for each in rng.integers((1, 1850, 1, 100), (29, 2031, 100, 9000))
    )
    month = _MONTHS[language].split()[int(rng.integers(12))]
    street = _STREETS[language][int(rng.integers(len(_STREETS[language])))]
    forms = (
        f"{day} {month} {year}", f"{day:02d}.{1 + small % 12:02d}.{year}", f"{street} {small}",
        f"{small},{large % 100:02d}", f"({small})", f"{large} - {large + small}", f"{day}/{small}",
        f"{street} {large}, {day}", f"{small} % ; {large}", f"{day} : {small:02d}",
        f"{day} + {small} = {day + small}", f"{small})", f"- {year};",
    )  # fmt: skip
    return forms[int(rng.integers(len(forms)))].split()
