"""From the likeliest texts of a line to its words and characters: where, how surely, what else.

Shapes: T time steps, K outputs, the blank first; N characters of the text.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from bukva.core.arrays import Float32Array
from bukva.tasks.line.answer import Alternative, Answer, Box, Character, Word
from bukva.tasks.line.charset import BLANK, Charset
from bukva.tasks.line.confidence import Sureness, describe
from bukva.tasks.line.decoding import Found, Span, align
from bukva.tasks.line.framing import STRIDE, FramedLine

_MOST_ALTERNATIVES: Final = 3
_LEAST_CHANCE: Final = 0.01

Chances = dict[str, float]
"""What may stand somewhere, and how likely it is beside the others."""


class SeenCharacter(NamedTuple):
    """A character of a text.

    Attributes:
        text: The character.
        left: Where it begins, in time steps.
        right: Where it ends.
        chance: What the network says of it where it is surest, 0..1.
        others: What it says of others thereabouts.
    """

    text: str
    left: float
    right: float
    chance: float
    others: Chances


class SeenWord(NamedTuple):
    """A word of a text.

    Attributes:
        characters: From left to right.
        share: Of the search's texts, by how likely they are, that have it in its place.
        others: What others have in its place.
    """

    characters: tuple[SeenCharacter, ...]
    share: float
    others: Chances

    @property
    def text(self) -> str:
        """The word."""
        return "".join(each.text for each in self.characters)

    @property
    def features(self) -> tuple[float, float, float, float]:
        """What its confidence is made of."""
        return describe([each.chance for each in self.characters], self.share)


class Reading(NamedTuple):
    """What was found in one line.

    Attributes:
        charset: What the outputs stand for.
        log_TK: Logarithms of what the network says of each step.
        found: The likeliest texts, at least one.
    """

    charset: Charset
    log_TK: Float32Array
    found: tuple[Found, ...]

    @classmethod
    def of_nothing(cls, charset: Charset) -> Self:
        """Return the reading of a line without ink."""
        return cls(charset, np.zeros((0, len(charset)), dtype=np.float32), (Found((), 1.0),))

    @property
    def text(self) -> str:
        """The likeliest text, one space between words."""
        return " ".join(self.charset.decode(self.found[0].indices).split())

    def features(self, words: Sequence[SeenWord]) -> tuple[float, float, float, float]:
        """Return what the line's confidence is made of; there must be words."""
        chances = [each.chance for word in words for each in word.characters]
        return describe(chances, self.found[0].share)

    def confidence(self, sureness: Sureness, words: Sequence[SeenWord]) -> float:
        """Return which share of the characters is expected to be right."""
        if words:
            return sureness.apply(self.features(words))
        # Nothing was found: sure where no step looks like anything, or there is no ink at all.
        return float(np.exp(self.log_TK[:, BLANK].min())) if len(self.log_TK) else 1.0


def spell(reading: Reading) -> list[SeenWord]:
    """Return the words of the likeliest text."""
    best, texts = reading.found[0], _words_of_all(reading)
    characters = list(_see(reading, best.indices, align(reading.log_TK, best.indices)))
    groups = groupby(characters, key=lambda each: each.text == " ")
    words = [tuple(group) for is_space, group in groups if not is_space]
    return [
        SeenWord(word, *_compare(texts, place, "".join(each.text for each in word)))
        for place, word in enumerate(words)
    ]


def _see(
    reading: Reading, indices: Sequence[int], spans: Sequence[Span]
) -> Iterator[SeenCharacter]:
    edges = _find_edges(spans, len(reading.log_TK))
    for place, (index, span) in enumerate(zip(indices, spans, strict=True)):
        left, right = edges[place], edges[place + 1]
        chance = float(np.exp(reading.log_TK[span.first : span.last + 1, index].max()))
        near_TK = reading.log_TK[int(left) : max(int(np.ceil(right)), int(left) + 1)]
        chances_K = np.exp(near_TK.max(axis=0))
        chances_K[[BLANK, index]] = 0
        order = np.argsort(-chances_K)[:_MOST_ALTERNATIVES]
        others = {
            reading.charset.decode([each]): float(chances_K[each])
            for each in order.tolist()
            if chances_K[each] >= _LEAST_CHANCE
        }
        yield SeenCharacter(reading.charset.decode([index]), left, right, chance, others)


def _find_edges(spans: Sequence[Span], steps: int) -> list[float]:
    """Return where characters begin and end: in the middle between neighbours."""
    middles_N: NDArray[np.float64] = np.array([(span.first + span.last + 1) / 2 for span in spans])
    if not len(middles_N):
        return []
    between = ((middles_N[1:] + middles_N[:-1]) / 2).tolist()
    usual = float(np.median(np.diff(middles_N))) if len(middles_N) > 1 else 4.0
    first = max(0.0, float(middles_N[0]) - usual / 2)
    last = min(float(steps), float(middles_N[-1]) + usual / 2)
    return [first, *between, last]


def _words_of_all(reading: Reading) -> list[tuple[list[str], float]]:
    return [(reading.charset.decode(each.indices).split(), each.share) for each in reading.found]


def _compare(
    texts: Sequence[tuple[list[str], float]], place: int, word: str
) -> tuple[float, Chances]:
    """Return which share of the texts has a word in a place, and what the others have there."""
    count, share, others = len(texts[0][0]), 0.0, Chances()
    for words, weight in texts:
        if len(words) != count or words[place] == word:
            share += weight
        else:
            others[words[place]] = others.get(words[place], 0.0) + weight
    return share, others


def to_answer(
    reading: Reading, framed: FramedLine, of_words: Sureness, of_lines: Sureness
) -> Answer:
    """Put what was read into words."""
    seen = spell(reading)
    return Answer(
        text=reading.text,
        confidence=reading.confidence(of_lines, seen),
        words=[_to_word(word, framed, of_words.apply(word.features)) for word in seen],
    )


def _to_word(word: SeenWord, framed: FramedLine, confidence: float) -> Word:
    return Word(
        text=word.text,
        box=_to_box(framed, word.characters[0].left, word.characters[-1].right),
        confidence=confidence,
        alternatives=_choose(_others_of(word), confidence),
        characters=[
            Character(
                text=each.text,
                box=_to_box(framed, each.left, each.right),
                confidence=each.chance,
                alternatives=_choose(each.others, each.chance),
            )
            for each in word.characters
        ],
    )


def _others_of(word: SeenWord) -> Chances:
    """Return what else the search found, and the word with one character changed."""
    others = dict(word.others)
    for place, character in enumerate(word.characters):
        for other, chance in character.others.items():
            changed = word.text[:place] + other + word.text[place + 1 :]
            likely = word.share * chance / max(character.chance, _LEAST_CHANCE)
            if " " not in changed:
                others[changed] = max(others.get(changed, 0.0), min(1.0, likely))
    return others


def _choose(others: Chances, confidence: float) -> list[Alternative]:
    """Return the likeliest; they share out what the confidence leaves."""
    likely = {text: chance for text, chance in others.items() if chance >= _LEAST_CHANCE}
    total = sum(likely.values())
    best = sorted(likely.items(), key=lambda each: -each[1])[:_MOST_ALTERNATIVES]
    left = 1 - confidence
    return [Alternative(text=text, confidence=left * chance / total) for text, chance in best]


def _to_box(framed: FramedLine, left: float, right: float) -> Box:
    corners_42 = framed.to_quad(STRIDE * left, STRIDE * right)
    low, high = corners_42.min(axis=0), corners_42.max(axis=0)
    return Box(
        left=round(max(0.0, float(low[0]))),
        top=round(max(0.0, float(low[1]))),
        width=max(1, round(float(high[0] - low[0]))),
        height=max(1, round(float(high[1] - low[1]))),
    )
