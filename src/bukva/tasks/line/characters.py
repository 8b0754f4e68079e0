"""Characters that people wrote one by one, collected from corpora to set lines in.

None of the corpora tells who wrote a character: EMNIST and Rukopys name no writers, and a scan
batch of Cyrillic-MNIST holds one letter of many people. So that a line looks as if one pen had
written it, characters are kept in the order of their strokes' width.

Shapes: N characters, S x S pixels.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import pandas as pd

from bukva.core.arrays import UInt8Array
from bukva.core.imaging.decoding import decode_image, to_grey
from bukva.core.imaging.ink import measure_ink
from bukva.core.imaging.text_ink import read_text_ink
from bukva.core.samples import LazyCorpora, RawSample, Split
from bukva.core.splits import Policy, assign_splits
from bukva.errors import ImageError
from bukva.tasks.line.parameters import DataParameters

CHARACTER_CORPORA: Final = ("emnist", "cyrillic_mnist", "rukopys")
SIDE_PX: Final = 28
COLUMNS: Final = ("corpus", "symbol", "split", "stroke_px")

_IS_INK: Final = 80
_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Characters:
    """Characters of some corpora.

    Attributes:
        table: One row a character: `corpus`, `symbol`, `split`, `stroke_px`.
        images_NSS: Row-aligned with it: ink high on zero, each at the left and the top.
    """

    table: pd.DataFrame
    images_NSS: UInt8Array

    def of_split(self, split: Split) -> "CharacterIndex | None":
        """Return the characters of a split, None where there are none."""
        is_chosen = self.table["split"].eq(split).to_numpy()
        if not is_chosen.any():
            return None
        return CharacterIndex.of(self.table[is_chosen], np.asarray(self.images_NSS[is_chosen]))


@dataclass(frozen=True)
class CharacterIndex:
    """Characters by corpus and symbol.

    Attributes:
        places: By corpus: the rows of each symbol, thin strokes first.
        images_NSS: The characters.
    """

    places: Mapping[str, Mapping[str, np.ndarray]]
    images_NSS: UInt8Array

    @classmethod
    def of(cls, table: pd.DataFrame, images_NSS: UInt8Array) -> "CharacterIndex":
        """Sort characters by what they show."""
        numbered = table.reset_index(drop=True).sort_values("stroke_px", kind="stable")
        places: dict[str, dict[str, np.ndarray]] = {}
        for (corpus, symbol), rows in numbered.groupby(["corpus", "symbol"], observed=True):
            places.setdefault(str(corpus), {})[str(symbol)] = rows.index.to_numpy()
        return cls(places, np.ascontiguousarray(images_NSS))


def collect_characters(corpora: LazyCorpora, parameters: DataParameters) -> Characters:
    """Return characters of those corpora that hold some, dealt out to three splits.

    The shares are those of the lines. Scan batches never cross a split.
    """
    chosen = {name: read for name, read in corpora.items() if name in CHARACTER_CORPORA}
    tables, images = [], []
    for corpus, read in chosen.items():
        samples = list(read())
        table = _split(samples, corpus, parameters)
        picked = _pick(table, parameters)
        cut = [_cut_or_none(samples[place]) for place in picked.index]
        usable = [image_SS is not None for image_SS in cut]
        tables.append(picked[usable])
        images += [image_SS for image_SS in cut if image_SS is not None]
        _logger.info("%s: %d characters to set lines in.", corpus, sum(usable))
    if not images:
        return Characters(
            pd.DataFrame(columns=list(COLUMNS)), np.zeros((0, SIDE_PX, SIDE_PX), np.uint8)
        )
    images_NSS = np.stack(images)
    joined = pd.concat(tables, ignore_index=True)
    joined["stroke_px"] = measure_ink(images_NSS).stroke_width_px_N
    return Characters(joined[list(COLUMNS)], images_NSS)


def _split(samples: list[RawSample], corpus: str, parameters: DataParameters) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "sample_id": [f"{corpus}/{sample.name}" for sample in samples],
            "corpus": corpus,
            "label": [sample.label for sample in samples],
            "is_uppercase": [sample.is_uppercase for sample in samples],
            "group": [sample.group for sample in samples],
            "symbol": [_symbol_of(sample) for sample in samples],
            "own_split": None,
            "is_published": False,
            "cluster": np.arange(len(samples), dtype=np.int64),
        }
    )
    policy: Policy = "grouped" if table["group"].notna().all() else "stratified"
    table["split"] = assign_splits(
        table, {corpus: policy}, valid_share=parameters.valid_share,
        test_share=parameters.test_share, seed=parameters.seed,
    )  # fmt: skip
    return table


def _symbol_of(sample: RawSample) -> str:
    return sample.label.upper() if sample.is_uppercase else sample.label


def _pick(table: pd.DataFrame, parameters: DataParameters) -> pd.DataFrame:
    """Return at most so many characters of each symbol and split as are asked for."""
    rng = np.random.default_rng([parameters.seed, *str(table["corpus"].iloc[0]).encode()])
    drawn = pd.Series(rng.random(len(table)), index=table.index)
    rank = drawn.groupby([table["symbol"], table["split"]]).rank()
    return table[rank.le(parameters.characters_per_symbol) & table["split"].ne("drop")]


def _cut_or_none(sample: RawSample) -> UInt8Array | None:
    """Return a character cut to its ink, at the left and the top of a square."""
    image = sample.image
    if isinstance(image, bytes):
        try:
            image = np.rint(255 * read_text_ink(to_grey(decode_image(image)))).astype(np.uint8)
        except ImageError:
            return None
    is_ink_HW = image > _IS_INK
    rows, columns = np.flatnonzero(is_ink_HW.any(axis=1)), np.flatnonzero(is_ink_HW.any(axis=0))
    if len(rows) < 2 or len(columns) < 1:
        return None
    cut_hw = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = min(1.0, SIDE_PX / max(cut_hw.shape))
    if scale < 1:
        height, width = (max(1, round(side * scale)) for side in cut_hw.shape)
        cut_hw = np.asarray(cv2.resize(cut_hw, (width, height), interpolation=cv2.INTER_AREA))
    image_SS = np.zeros((SIDE_PX, SIDE_PX), dtype=np.uint8)
    image_SS[: cut_hw.shape[0], : cut_hw.shape[1]] = cut_hw
    return image_SS
