"""What a corpus yields, before anything is done to it."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from bukva.core.arrays import UInt8Array

Split: TypeAlias = Literal["train", "valid", "test"]


@dataclass(frozen=True, slots=True)
class RawSample:
    """One labelled image as its corpus holds it.

    Attributes:
        name: Unique within the corpus; names the sample in reports.
        image: An encoded image file, or grey pixels `(H, W)` as uint8; nothing where the corpus
            holds texts.
        label: What it shows, in the words of the task that reads it.
        is_uppercase: None where the corpus does not say, and for digits.
        group: Writer, document or scan batch, where known: a group never crosses a split.
        split: The corpus's own split, where it has one.
        has_page: Whether the image shows the symbol at its size on a page, so that height and
            position mean something; False where the corpus cut and rescaled it.
        text: What a line of text says, where the corpus tells.
        page: The page that a line was cut from.
        collection: Which of the collections in the corpus it is of, where there are several.
    """

    name: str
    image: bytes | UInt8Array
    label: str
    is_uppercase: bool | None = None
    group: str | None = None
    split: Split | None = None
    has_page: bool = True
    text: str | None = None
    page: str | None = None
    collection: str | None = None


CorpusReader: TypeAlias = Callable[[Mapping[str, bytes]], Iterator[RawSample]]
"""Reads a corpus from the contents of its files, by file name."""

LazyCorpora: TypeAlias = dict[str, Callable[[], Iterator[RawSample]]]
"""By corpus name, a function that reads its samples; nothing is read before it is called."""


def of_split(
    table: pd.DataFrame, images_NHW: UInt8Array, split: Split
) -> tuple[pd.DataFrame, UInt8Array]:
    """Return the rows of a split, and their images."""
    is_chosen = table["split"].eq(split)
    return table[is_chosen], images_NHW[is_chosen.to_numpy()]


def digest_test_split(table: pd.DataFrame, images_NHW: UInt8Array) -> str:
    """Return the sha256 of the samples that models are tested on, in whatever order they stand.

    Args:
        table: The sample table.
        images_NHW: uint8 images, row-aligned with it.
    """
    tests, images_NHW = of_split(table, images_NHW, "test")
    digest = hashlib.sha256()
    for place in np.argsort(tests["sample_id"].to_numpy(dtype=str), kind="stable"):
        row = tests.iloc[place]
        digest.update(f"{row['sample_id']}\n{row['label']}\n{row['is_uppercase']}\n".encode())
        digest.update(images_NHW[place].tobytes())
    return digest.hexdigest()
