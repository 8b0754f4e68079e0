"""Corpora of texts: sentences without pictures, of which lines are made.

Each sentence is a `RawSample` without an image; its label is its language.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from bukva.core.corpora.contents import content_of
from bukva.core.samples import RawSample, Split
from bukva.errors import CorpusCorruptError

_PARTS: Final[tuple[Split, ...]] = ("train", "test")


def read_ukrainian_text(files: Mapping[str, bytes]) -> Iterator[RawSample]:
    """Yield the corrected sentences of UA-GEC, in their own split.

    Raises:
        CorpusCorruptError: If a file is not UTF-8.
    """
    for part in _PARTS:
        name = f"uagec_sentences_{part}.txt"
        for number, line in enumerate(_decode(content_of(files, name), name).splitlines()):
            if line.strip():
                yield RawSample(
                    f"{part}-{number:05d}", b"", label="uk", split=part, text=line.strip()
                )


def _decode(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CorpusCorruptError(f"Expected UTF-8 in {name}, got: {error}.") from None
