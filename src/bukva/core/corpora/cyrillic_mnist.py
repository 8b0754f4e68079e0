"""Cyrillic-MNIST: cursive letters on paper, 28x28 pixels of one bit, with a table.

Relative size is lost in this corpus: a letter fills its frame in either case. Median heights of
lower case and capital are 21 and 24 px for о, 22 and 23 for с, 21 and 22 for х, 20 and 22 for к,
where on paper a capital is half as high again; so `has_page` is False.

N = images, B = bytes an image.
"""

import io
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from bukva.core.alphabets import UKRAINIAN
from bukva.core.arrays import UInt8Array
from bukva.core.corpora.contents import (
    content_of,
    open_archive,
    parse_bool,
    read_required_member,
    read_table,
)
from bukva.core.samples import RawSample
from bukva.errors import CorpusCorruptError

SIDE_PX: Final = 28
_IMAGES: Final = "images_28x28_packbits.npz"
_TABLE: Final = "labels.csv"
_COLUMNS: Final = frozenset({"filename", "letter", "is_uppercase", "batch_ts", "corner_ink"})

logger = logging.getLogger(__name__)


def read_cyrillic_mnist(files: Mapping[str, bytes]) -> Iterator[RawSample]:
    """Yield the Ukrainian letters in the order of the table, named by the file they were.

    Left out are letters that Ukrainian does not have, and the 315 images (0.3 %) marked
    `corner_ink`, which show a piece of the form's frame: what is frame and what is letter is not
    told apart. The group is the scan batch; writers are not recorded. The images are not cut to the
    ink: how much of the frame a letter fills tells a part of its case.

    Raises:
        CorpusCorruptError: If the files do not open or do not belong together.
    """
    packed_NB = _read_packed(content_of(files, _IMAGES))
    rows = list(read_table(content_of(files, _TABLE), _COLUMNS, _TABLE))
    if len(rows) != len(packed_NB):
        got = f"{len(packed_NB)} images and {len(rows)} rows"
        raise CorpusCorruptError(f"Expected an image for each row of {_TABLE}, got {got}.")
    left_out: Counter[str] = Counter()
    for packed_B, row in zip(packed_NB, rows, strict=True):
        if len(row["letter"]) != 1 or row["letter"] not in UKRAINIAN:
            left_out["letters of other alphabets"] += 1
        elif parse_bool(row["corner_ink"], f"corner_ink of {row['filename']}"):
            left_out["images with a piece of the frame"] += 1
        else:
            yield _sample(packed_B, row)
    logger.info("cyrillic_mnist: left out: %s.", dict(left_out))


def _sample(packed_B: UInt8Array, row: Mapping[str, str]) -> RawSample:
    return RawSample(
        name=row["filename"],
        image=_unpack(packed_B),
        label=row["letter"],
        is_uppercase=parse_bool(row["is_uppercase"], f"is_uppercase of {row['filename']}"),
        group=row["batch_ts"],
    )


def _unpack(packed_B: UInt8Array) -> UInt8Array:
    """Return the image (28, 28), ink 255 on 0."""
    return np.unpackbits(packed_B)[: SIDE_PX**2].reshape(SIDE_PX, SIDE_PX) * np.uint8(255)


def _read_packed(content: bytes) -> UInt8Array:
    """Return the packed images (N, 98) of the npz file, which is a zip of npy files."""
    member = read_required_member(open_archive(content, _IMAGES), "bits.npy", of=_IMAGES)
    try:
        packed_NB = np.load(io.BytesIO(member), allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise CorpusCorruptError(f"Expected an npy array in {_IMAGES}, got: {error}.") from None
    if packed_NB.dtype != np.uint8 or packed_NB.shape[1:] != (SIDE_PX**2 // 8,):
        got = f"{packed_NB.dtype} {packed_NB.shape}"
        raise CorpusCorruptError(f"Expected uint8 (N, {SIDE_PX**2 // 8}) in {_IMAGES}, got {got}.")
    return np.asarray(packed_NB, dtype=np.uint8)
