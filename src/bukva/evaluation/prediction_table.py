"""From probabilities to the prediction table that everything in this room reads.

Shapes: N samples, K labels.
"""

import pandas as pd

from bukva.data.samples import Float32Array
from bukva.evaluation.predictions import CASE_THRESHOLD


def make_prediction_table(
    samples: pd.DataFrame, label_NK: Float32Array, uppercase_N: Float32Array, labels: str
) -> pd.DataFrame:
    """Return the prediction table of some samples.

    Args:
        samples: Rows of the sample table.
        label_NK: Probability of each label.
        uppercase_N: Probability of upper case.
        labels: What the columns of `label_NK` mean.

    Returns:
        The columns of `bukva.evaluation.predictions.COLUMNS`, row-aligned with the samples.
    """
    columns = ["sample_id", "corpus", "split", "label", "is_uppercase", "is_published"]
    return samples[columns].assign(
        predicted_label=[labels[index] for index in label_NK.argmax(axis=1)],
        predicted_uppercase=uppercase_N >= CASE_THRESHOLD,
        label_probability=label_NK.max(axis=1).astype(float),
        uppercase_probability=uppercase_N.astype(float),
    )
