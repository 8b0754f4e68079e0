"""What a corpus yields, before anything is done to it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

UInt8Array: TypeAlias = NDArray[np.uint8]
Float32Array: TypeAlias = NDArray[np.float32]
Split: TypeAlias = Literal["train", "valid", "test"]


@dataclass(frozen=True, slots=True)
class RawSample:
    """One labelled image as its corpus holds it.

    Attributes:
        name: Unique within the corpus; names the sample in reports.
        image: An encoded image file, or grey pixels `(H, W)` as uint8.
        label: A label of `bukva.charset`.
        is_uppercase: None where the corpus does not say, and for digits.
        group: Writer, document or scan batch, where known: a group never crosses a split.
        split: The corpus's own split, where it has one.
        has_page: Whether the image shows the symbol at its size on a page, so that height and
            position mean something; False where the corpus cut and rescaled it.
    """

    name: str
    image: bytes | UInt8Array
    label: str
    is_uppercase: bool | None = None
    group: str | None = None
    split: Split | None = None
    has_page: bool = True


CorpusReader: TypeAlias = Callable[[Mapping[str, bytes]], Iterator[RawSample]]
"""Reads a corpus from the contents of its files, by file name."""

LazyCorpora: TypeAlias = dict[str, Callable[[], Iterator[RawSample]]]
"""By corpus name, a function that reads its samples; nothing is read before it is called."""
