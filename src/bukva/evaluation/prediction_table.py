"""From probabilities to the prediction table that everything in this room reads.

Shapes: N samples, C classes of a label head, K of them labels.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bukva.charset import LABELS
from bukva.data.samples import Float32Array
from bukva.evaluation.predictions import CASE_THRESHOLD


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
        The columns of `bukva.evaluation.predictions.COLUMNS`, row-aligned with the samples, and
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
