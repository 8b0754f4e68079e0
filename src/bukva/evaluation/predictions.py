"""The prediction table: one row a sample, what is true beside what a recogniser says.

| column | |
|---|---|
| `sample_id`, `corpus`, `split` | str |
| `label` | str, a label of `bukva.charset` |
| `is_uppercase` | nullable boolean; missing for digits and where the corpus does not say |
| `group` | str, writer, document or scan batch; missing where it is not known |
| `is_published` | bool, one of the 300 test samples of the published split |
| `predicted_label`, `predicted_uppercase` | str, bool |
| `label_probability` | float, 0..1, of the predicted label |
| `true_label_rank` | int, place of the true label among the likeliest, 1 where predicted |
| `uppercase_probability` | float, 0..1 |
"""

from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bukva.charset import LABELS, LETTERS
from bukva.errors import TableError

COLUMNS: Final = (
    "sample_id",
    "corpus",
    "split",
    "label",
    "is_uppercase",
    "group",
    "is_published",
    "predicted_label",
    "predicted_uppercase",
    "label_probability",
    "true_label_rank",
    "uppercase_probability",
)

CASE_THRESHOLD: Final = 0.5
"""Probability from which a letter is called upper case."""

BoolArray = NDArray[np.bool_]


def require_columns(table: pd.DataFrame, columns: tuple[str, ...] = COLUMNS) -> None:
    """Refuse a table without all of `columns`.

    Raises:
        TableError: Naming the columns that are missing and those that are there.
    """
    missing = [column for column in columns if column not in table]
    if missing:
        message = f"Expected the columns {list(columns)}, missing {missing}: got {list(table)}."
        raise TableError(message)


def is_letter(predictions: pd.DataFrame) -> BoolArray:
    """Return `(N,)`, whether a sample is a letter."""
    return predictions["label"].isin(list(LETTERS)).to_numpy(dtype=bool)


def has_case(predictions: pd.DataFrame) -> BoolArray:
    """Return `(N,)`, whether a sample is a letter whose case is known."""
    return is_letter(predictions) & predictions["is_uppercase"].notna().to_numpy(dtype=bool)


def is_label_right(predictions: pd.DataFrame) -> BoolArray:
    """Return `(N,)`, whether the predicted label is the true one."""
    return (predictions["label"] == predictions["predicted_label"]).to_numpy(dtype=bool)


def is_case_right(predictions: pd.DataFrame) -> BoolArray:
    """Return `(N,)`, whether the case is right at a probability of 0.5; False without a case.

    The threshold is on the probability. On a logit, 0.5 would mean a probability of 0.62.
    """
    says_upper_N = (predictions["uppercase_probability"] >= CASE_THRESHOLD).to_numpy(dtype=bool)
    is_upper_N = predictions["is_uppercase"].astype("boolean").fillna(False).to_numpy(dtype=bool)
    is_right_N: BoolArray = has_case(predictions) & (says_upper_N == is_upper_N)
    return is_right_N


class Design(NamedTuple):
    """How the samples came about, `(N,)` numbers from 0 each.

    Attributes:
        unit_N: Samples of one group are one unit, others stand alone.
        stratum_N: Corpora are fixed, and so are the symbols where samples come in groups: a scan
            batch of Cyrillic-MNIST holds one symbol, and another draw of batches would still be
            one of every symbol. Units are drawn within a stratum. Symbols of one batch each
            share a stratum ("collapsed strata": Cochran 1977, section 5A.12), which is cautious.
    """

    unit_N: NDArray[np.int64]
    stratum_N: NDArray[np.int64]


def sampling_design(predictions: pd.DataFrame) -> Design:
    """Return which samples are worth one, and what is fixed among them."""
    corpus, is_grouped = predictions["corpus"].astype(str), predictions["group"].notna()
    symbol = predictions["label"].astype(str) + predictions["is_uppercase"].astype(object).map(str)
    # A batch of two symbols is one unit of each.
    group = predictions["group"].astype(str) + "/" + symbol
    unit = corpus + "/" + group.where(is_grouped, predictions["sample_id"].astype(str))
    batches = unit.groupby([corpus, symbol]).transform("nunique")
    stratum = (corpus + "/" + symbol).where(is_grouped & (batches > 1), corpus)
    codes = (pd.factorize(column)[0].astype(np.int64) for column in (unit, stratum))
    return Design(*codes)


def confusion_matrix(predictions: pd.DataFrame) -> NDArray[np.int64]:
    """Return `(43, 43)` counts: row = true label, column = predicted label, in charset order."""
    true_N = label_indices(predictions["label"])
    predicted_N = label_indices(predictions["predicted_label"])
    size = len(LABELS)
    counts = np.bincount(true_N * size + predicted_N, minlength=size * size)
    return counts.reshape(size, size).astype(np.int64)


def label_indices(labels: pd.Series) -> NDArray[np.int64]:
    """Return `(N,)` places of labels in the charset.

    Raises:
        TableError: Naming what is no label.
    """
    indices = pd.Index(list(LABELS)).get_indexer(pd.Index(labels))
    if (indices < 0).any():
        unknown = sorted({str(label) for label in labels[indices < 0]})
        message = f"Expected labels of '{LABELS}' in column {labels.name!r}, got {unknown[:5]}."
        raise TableError(message)
    return indices.astype(np.int64)
