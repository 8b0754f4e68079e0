"""The prediction table: one row a sample, what is true beside what a recogniser says.

| column | |
|---|---|
| `sample_id`, `corpus`, `split` | str |
| `label` | str, a label of `bukva.tasks.glyph.charset` |
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

from bukva.core.arrays import BoolArray, Float32Array
from bukva.core.tables import require_columns
from bukva.errors import TableError
from bukva.tasks.glyph.charset import LABELS, LETTERS

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


def require_predictions(table: pd.DataFrame) -> None:
    """Refuse a table without all of `COLUMNS`.

    Raises:
        TableError: Naming the columns that are missing and those that are there.
    """
    require_columns(table, COLUMNS)


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


def make_prediction_table(
    samples: pd.DataFrame, class_NC: Float32Array, uppercase_N: Float32Array, classes: str
) -> pd.DataFrame:
    """Return the prediction table of some samples.

    Args:
        samples: Rows of the sample table.
        class_NC: Probability of each class.
        uppercase_N: Probability of upper case.
        classes: What the columns of `class_NC` mean: labels, and perhaps what is none.

    Returns:
        The columns of `predictions.COLUMNS`, row-aligned with the samples, and
        `symbol_probability`, that it shows any of the labels, and `label_probabilities`: for each
        sample those of all labels if it does, in the order of the charset.
        Whatever shows no symbol is answered by the likeliest label as well.
    """
    labels = [label for label in LABELS if label in classes]
    label_NK = class_NC[:, [classes.index(label) for label in labels]]
    symbol_N = label_NK.sum(axis=1)
    label_NK = label_NK / np.maximum(symbol_N[:, None], np.float32(1e-12))
    columns = ["sample_id", "corpus", "split", "label", "is_uppercase", "group", "is_published"]
    return samples[columns].assign(
        predicted_label=[labels[index] for index in label_NK.argmax(axis=1)],
        predicted_uppercase=uppercase_N >= CASE_THRESHOLD,
        label_probability=label_NK.max(axis=1).astype(float),
        true_label_rank=_ranks(label_NK, pd.Index(labels).get_indexer(pd.Index(samples["label"]))),
        uppercase_probability=uppercase_N.astype(float),
        symbol_probability=np.minimum(symbol_N, 1.0).astype(float),
        label_probabilities=list(label_NK),
    )


def _ranks(label_NK: Float32Array, true_N: NDArray[np.intp]) -> NDArray[np.int64]:
    """Return `(N,)` ranks from 1 of the true labels; what is no label comes after all of them."""
    true_probability_N = np.where(true_N >= 0, label_NK[np.arange(len(true_N)), true_N], -1)
    rank_N: NDArray[np.int64] = 1 + (label_NK > true_probability_N[:, None]).sum(axis=1)
    return rank_N
