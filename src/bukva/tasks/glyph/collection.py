"""From corpora to one table of samples and one array of images beside it.

Shapes: N samples, H x W pixels.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from PIL import Image
from tqdm import tqdm

from bukva.core.arrays import UInt8Array
from bukva.core.imaging.decoding import decode_image
from bukva.core.imaging.upscaling import encode_page
from bukva.core.samples import RawSample
from bukva.core.scratch import BLOCK_ROWS, Scratch
from bukva.core.scratch_table import gather_blocks
from bukva.errors import CorpusCorruptError, CorpusMissingError, ImageError
from bukva.tasks.glyph.preprocessing import PAGE_FEATURES, Glyph, Preprocessing, preprocess

_RAW_PX: Final = 96
_COLUMNS: Final = (
    "sample_id", "corpus", "name", "label", "is_uppercase", "group", "own_split", "sha256",
    *PAGE_FEATURES, "is_published",
)  # fmt: skip


class Collection(NamedTuple):
    """What was read from all corpora.

    Attributes:
        table: One row a sample, without `split` and `cluster`.
        images_NHW: uint8 `(N, 28, 28)`, row-aligned with the table.
        rejected: `corpus`, `name` and `reason` of each image that could not be used.
        raw: The first sample of each symbol of each corpus as it was found: `sample_id` and
            `image`, the bytes of a PNG file, its longest side at most 96 px.
    """

    table: pd.DataFrame
    images_NHW: UInt8Array
    rejected: pd.DataFrame
    raw: pd.DataFrame


def collect_samples(
    corpora: Mapping[str, Callable[[], Iterator[RawSample]]],
    published: Mapping[str, frozenset[str]],
    max_corrupt_share: float,
) -> Collection:
    """Read, decode and preprocess every sample of every corpus.

    Args:
        corpora: By name, a function that yields the corpus's samples.
        published: By corpus, the names of the published split's test samples.
        max_corrupt_share: More unusable images than this share of a corpus stop the run.

    Returns:
        Table, images, what was rejected, and a few samples as they were found.

    Raises:
        CorpusMissingError: If there is no corpus.
        CorpusCorruptError: If a corpus has too many unusable images, or none that is usable.
    """
    if not corpora:
        message = (
            "Expected a corpus to read, got none: name some under `corpora` in conf/<env>/"
            "globals.yml, or set embedded.samples_per_symbol above 0."
        )
        raise CorpusMissingError(message)
    images = Scratch((Preprocessing().frame_px,) * 2)
    rejected: list[dict[str, str]] = []
    raw: dict[tuple[str, str, bool | None], tuple[str, UInt8Array]] = {}

    def read_rows() -> Iterator[dict[str, Any]]:
        for corpus, read in corpora.items():
            used, rejected_before = 0, len(rejected)
            for sample in tqdm(read(), desc=f"reading {corpus}", unit="image", mininterval=0.5):
                try:
                    row, image_HW, grey_HW = process_sample(corpus, sample)
                except ImageError as error:
                    rejected.append({"corpus": corpus, "name": sample.name, "reason": str(error)})
                    continue
                images.append(image_HW)
                symbol = (corpus, sample.label, sample.is_uppercase)
                raw.setdefault(symbol, (row["sample_id"], grey_HW))
                used += 1
                yield row | {"is_published": sample.name in published.get(corpus, ())}
            _check_share(corpus, rejected[rejected_before:], used, max_corrupt_share)

    return Collection(
        gather_blocks(_to_blocks(read_rows())),
        images.to_array(),
        pd.DataFrame(rejected, columns=["corpus", "name", "reason"]),
        pd.DataFrame(
            [(sample_id, _encode_small(grey_HW)) for sample_id, grey_HW in raw.values()],
            columns=["sample_id", "image"],
        ),
    )


def _to_blocks(rows: Iterator[dict[str, Any]]) -> Iterator[pd.DataFrame]:
    """Yield rows as tables: as Python objects, all of them would take ten times the room."""
    while block := list(islice(rows, BLOCK_ROWS)):
        yield pd.DataFrame(block, columns=list(_COLUMNS)).astype({"is_uppercase": "boolean"})


def process_sample(corpus: str, sample: RawSample) -> tuple[dict[str, Any], UInt8Array, UInt8Array]:
    """Return what the table says of a sample, its framed image, and its pixels as they were found.

    Raises:
        ImageError: If the image cannot be used.
    """
    image = sample.image
    grey_HW = decode_image(image) if isinstance(image, bytes) else image
    glyph = preprocess(grey_HW, has_page=sample.has_page)
    return _to_row(corpus, sample, grey_HW, glyph), glyph.image_HW, grey_HW


def _encode_small(grey_HW: UInt8Array) -> bytes:
    page = Image.fromarray(grey_HW)
    page.thumbnail((_RAW_PX, _RAW_PX))
    return encode_page(np.asarray(page))


def _to_row(corpus: str, sample: RawSample, grey_HW: UInt8Array, glyph: Glyph) -> dict[str, Any]:
    pixels = f"{grey_HW.shape}".encode() + np.ascontiguousarray(grey_HW).tobytes()
    return {
        "sample_id": f"{corpus}/{sample.name}",
        "corpus": corpus,
        "name": sample.name,
        "label": sample.label,
        "is_uppercase": sample.is_uppercase,
        "group": sample.group,
        "own_split": sample.split,
        "sha256": hashlib.sha256(pixels).hexdigest(),
        **dict(zip(PAGE_FEATURES, glyph.page_F, strict=True)),
    }


def _check_share(
    corpus: str, rejected: list[dict[str, str]], used: int, max_corrupt_share: float
) -> None:
    total = len(rejected) + used
    if used and len(rejected) <= max_corrupt_share * total:
        return
    examples = "; ".join(f"{row['name']}: {row['reason']}" for row in rejected[:5])
    message = (
        f"Expected images in corpus {corpus}, at most {max_corrupt_share:.1%} of them unusable, "
        f"got {len(rejected)} unusable of {total}, such as {examples or 'none'}. "
        "Fetch the corpus again, or raise data_processing.max_corrupt_share."
    )
    raise CorpusCorruptError(message)
