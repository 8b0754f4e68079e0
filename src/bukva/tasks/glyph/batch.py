"""Recognising many images, a chunk of them at a time: what is read, and the table that it becomes.

Shapes: N images, H x W pixels.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, NamedTuple, Protocol

import pyarrow as pa
from pydantic import BaseModel

from bukva.core.arrays import UInt8Array
from bukva.core.schema import to_arrow
from bukva.tasks.glyph.answer import (
    ERROR_COLUMNS,
    READING_COLUMNS,
    Columns,
    Failure,
    Recognition,
    Source,
)
from bukva.tasks.glyph.recogniser import Recogniser


class Prediction(BaseModel):
    """One row of the table of predictions, which stand in the order in which images are read."""

    image: str
    reading: Recognition | None
    failure: Failure | None
    model_version: str
    model_sha256: str


PREDICTIONS: Final = to_arrow(Prediction)

REJECTED_COLUMNS: Final = ("image", *ERROR_COLUMNS)
"""Of those that could not be used: which, why to programs, and why to people."""

_FRAMED_AT_ONCE: Final = 256
"""Images that go through the network together: their features stay in the processor's caches."""


class AnsweringModel(NamedTuple):
    """What answers.

    Attributes:
        recogniser: What is asked.
        version: Its number in the registry; empty where it is in none.
        images_from: Where the images come from, if that is known.
    """

    recogniser: Recogniser
    version: str
    images_from: Source | None = None


class Chunk(NamedTuple):
    """Some of the images, those from `start` to before `stop` of one file or list of files."""

    number: int
    file: int
    start: int
    stop: int


@dataclass(frozen=True)
class ImageChunk:
    """The images of a chunk.

    Attributes:
        names: What they are called in the table.
        images: Of each, what `Recogniser.prepare` takes: what holds the bytes of an image file,
            pixels, or why there is none; or the grey pixels of all, uint8 `(N, H, W)`.
    """

    names: Sequence[str]
    images: Sequence[object] | UInt8Array


class ImageSource(Protocol):
    """Images that lie somewhere, read a chunk at a time, in the same order every time."""

    @property
    def place(self) -> str:
        """Where they lie."""

    @property
    def kind(self) -> str:
        """`files`, `parquet` or `arrays`."""

    @property
    def lengths(self) -> Sequence[int]:
        """How many images each file holds; of `files`, how many there are."""

    @property
    def fingerprint(self) -> str:
        """Digest of the names, sizes and dates of the files."""

    def read(self, chunk: Chunk) -> ImageChunk:
        """Return the images of a chunk."""


class Part(NamedTuple):
    """What becomes of the chunk of this number."""

    number: int
    table: pa.Table


def cut_into_chunks(lengths: Sequence[int], chunk_images: int) -> Iterator[Chunk]:
    """Yield chunks of at most so many images; none holds images of two files."""
    spans = (
        (file, start, min(start + chunk_images, length))
        for file, length in enumerate(lengths)
        for start in range(0, length, chunk_images)
    )
    yield from (Chunk(number, *span) for number, span in enumerate(spans))


def predict_chunk(model: AnsweringModel, chunk: Chunk, source: ImageSource) -> Part:
    """Read the images of a chunk, and return their `PREDICTIONS`."""
    read = source.read(chunk)
    columns: Columns = {name: [] for name in (*READING_COLUMNS, *ERROR_COLUMNS)}
    for images in _take(read.images, _FRAMED_AT_ONCE):
        sources = [model.images_from] * len(images)
        answers = model.recogniser.answer(model.recogniser.prepare(images, sources))
        for name, values in answers.items():
            columns[name] += values
    same = {"model_version": model.version, "model_sha256": model.recogniser.sha256}
    columns |= {name: [value] * len(read.names) for name, value in same.items()}
    table = pa.table({"image": list(read.names), **columns}, schema=PREDICTIONS)
    return Part(chunk.number, table)


def _take(images: Iterable[object], count: int) -> Iterator[list[object]]:
    left = iter(images)
    while taken := list(islice(left, count)):
        yield taken
