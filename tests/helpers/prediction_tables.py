"""Hand-made prediction tables."""

import numpy as np
import pandas as pd

from bukva.tasks.glyph.charset import LABELS, encode


def make_predictions(*rows: tuple, corpus: str = "paper") -> pd.DataFrame:
    """Make a table of rows `(label, is_uppercase, predicted_label, uppercase_probability)`."""
    label, is_uppercase, predicted, uppercase = zip(*rows, strict=True) if rows else ([],) * 4
    return pd.DataFrame(
        {
            "sample_id": [f"{corpus}/{place}" for place in range(len(rows))],
            "corpus": pd.Series([corpus] * len(rows), dtype="str"),
            "split": pd.Series(["test"] * len(rows), dtype="str"),
            "label": pd.Series(list(label), dtype="str"),
            "is_uppercase": pd.array(list(is_uppercase), dtype="boolean"),
            "group": pd.Series([None] * len(rows), dtype="str"),
            "is_published": False,
            "predicted_label": pd.Series(list(predicted), dtype="str"),
            "predicted_uppercase": [value >= 0.5 for value in uppercase],
            "label_probability": 0.9,
            "true_label_rank": [1 if row[0] == row[2] else 2 for row in rows],
            "uppercase_probability": pd.Series(list(uppercase), dtype=float),
        }
    )


def with_probabilities(predictions: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Noisy probabilities of all labels, highest at the predicted one."""
    label_NK = np.random.default_rng(seed).dirichlet(np.full(len(LABELS), 0.3), len(predictions))
    label_NK[range(len(predictions)), [encode(x) for x in predictions["predicted_label"]]] += 1
    label_NK /= label_NK.sum(axis=1, keepdims=True)
    return predictions.assign(label_probabilities=list(label_NK.astype(np.float32)))
