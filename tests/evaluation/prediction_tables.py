"""Hand-made prediction tables."""

import pandas as pd


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
