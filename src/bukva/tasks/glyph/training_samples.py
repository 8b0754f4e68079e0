"""The arrays that a network is trained on, made from the sample table.

Shapes: N samples, H x W pixels, F page features.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bukva.core.arrays import Float32Array, UInt8Array
from bukva.errors import ParameterError
from bukva.tasks.glyph import charset
from bukva.tasks.glyph.table import page_features

_CLASSES = pd.Index(list(charset.CLASSES))


@dataclass(frozen=True, slots=True)
class GlyphSamples:
    """Row-aligned arrays of one split.

    Attributes:
        images_NHW: uint8, ink high on zero.
        page_NF: float32, NaN where unknown.
        labels_N: int64, indices of `bukva.tasks.glyph.charset.CLASSES`.
        uppercase_N: float32, 1 upper case, 0 lower case, NaN where there is none or it is unknown.
        weights_N: float64, relative chance of being drawn.
    """

    images_NHW: UInt8Array
    page_NF: Float32Array
    labels_N: NDArray[np.int64]
    uppercase_N: Float32Array
    weights_N: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.labels_N)

    def digest(self) -> str:
        """Return a sha256 over everything that training depends on."""
        digest = hashlib.sha256()
        for name in self.__slots__:
            digest.update(np.ascontiguousarray(getattr(self, name)).tobytes())
        return digest.hexdigest()


def select_samples(
    table: pd.DataFrame,
    images_NHW: UInt8Array,
    split: str,
    corpora: Mapping[str, float],
    class_balance: float,
) -> GlyphSamples:
    """Take one split of some corpora out of the sample table and its images.

    Args:
        table: The sample table, row-aligned with the images.
        images_NHW: uint8 images of all samples.
        split: `train`, `valid` or `test`.
        corpora: Weight of each corpus in a batch.
        class_balance: 0 draws symbols as often as they occur, 1 all equally often.

    Returns:
        The arrays, with the chance of each sample of being drawn.

    Raises:
        ParameterError: If a corpus with a weight is not in the table.
    """
    corpora = {name: weight for name, weight in corpora.items() if weight}
    check_corpora(table, corpora)
    is_chosen_N = (table["split"].eq(split) & table["corpus"].isin(list(corpora))).to_numpy()
    chosen = table[is_chosen_N]
    uppercase = chosen["is_uppercase"].astype("Float32")
    return GlyphSamples(
        images_NHW=images_NHW[is_chosen_N],
        page_NF=page_features(chosen),
        labels_N=_CLASSES.get_indexer(pd.Index(chosen["label"])).astype(np.int64),
        uppercase_N=uppercase.to_numpy(dtype=np.float32, na_value=np.nan),
        weights_N=_drawing_weights(chosen, corpora, class_balance),
    )


def check_corpora(table: pd.DataFrame, names: Iterable[str]) -> None:
    """Refuse corpora that the sample table does not have.

    Raises:
        ParameterError: Naming them, and those that it has.
    """
    if unknown := sorted(set(names) - set(table["corpus"])):
        message = (
            f"Expected corpora of the sample table, {sorted(table['corpus'].unique())}, got "
            f"{unknown}. Name them under `corpora` in conf/<env>/globals.yml and run "
            "data_processing, or give them the weight 0."
        )
        raise ParameterError(message)


def _drawing_weights(
    table: pd.DataFrame, corpora: Mapping[str, float], class_balance: float
) -> NDArray[np.float64]:
    """Give each corpus its weight, shared out over its symbols and their samples."""
    keys = ["corpus", "label", "is_uppercase"]
    symbol_size = table.groupby(keys, dropna=False)["sample_id"].transform("size")
    within = symbol_size.astype("float64") ** -class_balance
    corpus_total = within.groupby(table["corpus"]).transform("sum")
    weights_N: NDArray[np.float64] = (
        within / corpus_total * table["corpus"].map(dict(corpora)).astype("float64")
    ).to_numpy()
    return weights_N
