"""Labels that a recogniser, trained on other samples, does not believe.

Shapes: N samples, K labels.
"""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bukva.core.tables import require_columns
from bukva.tasks.glyph.charset import LABELS

SUSPECT_COLUMNS: Final = (
    "sample_id",
    "corpus",
    "label",
    "suggested_label",
    "given_probability",
    "suggested_probability",
)


def find_suspects(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the samples that look mislabelled, the most suspicious first.

    Confident learning (Northcutt, Jiang and Chuang 2021, section 3.1): a sample counts as another
    label if that label's probability is at least what it has on average where it is the given one.
    The threshold of its own lets a label that is often doubted be doubted often. Whether a suspect
    is a wrong label, a bad drawing or a good drawing badly read, a person has to say.

    Args:
        predictions: A prediction table with `label_probabilities`, of samples that the model was
            not trained on; samples without a label of the charset are left out.

    Returns:
        One row a suspect, columns `SUSPECT_COLUMNS`.

    Raises:
        TableError: If columns are missing.
    """
    require_columns(predictions, ("sample_id", "corpus", "label", "label_probabilities"))
    known = predictions[predictions["label"].isin(list(LABELS))]
    if known.empty:
        return pd.DataFrame(columns=list(SUSPECT_COLUMNS))
    probability_NK = np.stack(known["label_probabilities"].to_list())
    given_N = pd.Index(list(LABELS)).get_indexer(pd.Index(known["label"]))
    suggested_N = _suggest(probability_NK, given_N)
    rows_N = np.arange(len(known))
    suspects = known[["sample_id", "corpus", "label"]].assign(
        suggested_label=np.array(list(LABELS))[suggested_N],
        given_probability=probability_NK[rows_N, given_N].astype(float),
        suggested_probability=probability_NK[rows_N, suggested_N].astype(float),
    )
    is_suspect_N = pd.Series(suggested_N != given_N, index=suspects.index)
    return suspects[is_suspect_N].sort_values("given_probability", kind="stable", ignore_index=True)


def _suggest(probability_NK: NDArray[np.floating], given_N: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return `(N,)`, the likeliest of the labels that pass their threshold, else the given one."""
    own_N = probability_NK[np.arange(len(given_N)), given_N]
    counts_K = np.bincount(given_N, minlength=probability_NK.shape[1])
    sums_K = np.bincount(given_N, weights=own_N, minlength=probability_NK.shape[1])
    # A label that nobody gave has no threshold to pass.
    threshold_K = np.where(counts_K > 0, sums_K / np.maximum(counts_K, 1), np.inf)
    passing_NK = np.where(probability_NK >= threshold_K, probability_NK, -1.0)
    return np.where(passing_NK.max(axis=1) < 0, given_N, passing_NK.argmax(axis=1))
