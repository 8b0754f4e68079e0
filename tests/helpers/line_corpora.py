"""Small corpora of lines, characters and sentences, drawn here."""

import io
from collections.abc import Iterator
from functools import partial

import numpy as np
from PIL import Image

from bukva.core.fonts import HANDWRITING_FONTS
from bukva.core.samples import LazyCorpora, RawSample, Split
from bukva.tasks.line.font_lines import set_in_font

FRENCH = "Ceci est mon testament"
SENTENCES = ("Дорога моя, не хвилюйся.", "Їжак приніс до хати яблуко.", "Щастя є!")


def draw_page(text: str, seed: int = 0) -> bytes:
    """Return a line on paper as a PNG file."""
    font = HANDWRITING_FONTS[seed % len(HANDWRITING_FONTS)]
    ink_HW, _ = set_in_font(text, font, np.random.default_rng(seed))
    page_HW = 225 - np.pad(ink_HW, 12) // 2
    buffer = io.BytesIO()
    Image.fromarray(page_HW.astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def read_lines(groups: int, collections: tuple[str, ...]) -> Iterator[RawSample]:
    """Yield two lines of each group of each collection."""
    for collection in collections:
        for group in range(groups):
            for line in range(2):
                name = f"{collection}-{group}-{line}.png"
                yield RawSample(
                    name, draw_page(FRENCH, group), "handwritten", group=f"g{group}", text=FRENCH,
                    page=f"p{group}", collection=collection,
                )  # fmt: skip


def read_characters() -> Iterator[RawSample]:
    """Yield ten pictures of each of some letters, as the character corpora have them."""
    for symbol in "абвгдежіклмнопрстуихя":
        for number in range(10):
            ink_HW, _ = set_in_font(symbol, HANDWRITING_FONTS[number], np.random.default_rng(1))
            yield RawSample(f"{symbol}{number}", ink_HW, symbol, has_page=False)


def read_sentences() -> Iterator[RawSample]:
    """Yield sentences, most of them to learn from."""
    for number in range(60):
        split: Split = "test" if number % 5 == 0 else "train"
        text = f"{SENTENCES[number % 3]} {number}"
        yield RawSample(f"s{number}", b"", label="uk", split=split, text=text)


def small_corpora(*more: RawSample) -> LazyCorpora:
    """Return one corpus of each kind; further lines stand in `french_hands`."""

    def read_hands() -> Iterator[RawSample]:
        yield from read_lines(8, ("copiste", "mss19"))
        yield from read_lines(1, ("celestine", "peraire"))
        yield from more

    return {
        "testaments": partial(read_lines, 8, ("testaments",)),
        "french_hands": read_hands,
        "emnist": read_characters,
        "ukrainian_text": read_sentences,
    }
