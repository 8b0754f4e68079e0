"""Tables of samples to be split, made up."""

import numpy as np
import pandas as pd


def make_table(
    rows: int = 400, *, corpus: str = "paper", labels: str = "абв7", groups: int = 0, seed: int = 0
) -> pd.DataFrame:
    """Make a table of single samples; with `groups`, each has a group of every symbol."""
    rng = np.random.default_rng(seed)
    label = rng.choice(list(labels), rows)
    is_upper = pd.Series(rng.random(rows) < 0.5, dtype="boolean").where(label != "7", pd.NA)
    group = pd.Series(rng.integers(0, groups, rows)).astype("str") if groups else None
    return pd.DataFrame(
        {
            "sample_id": [f"{corpus}/{place:05d}" for place in range(rows)],
            "corpus": corpus,
            "label": label,
            "is_uppercase": is_upper,
            "group": group,
            "own_split": None,
            "is_published": False,
            "cluster": np.arange(rows),
        }
    )


def symbols(table: pd.DataFrame) -> pd.Series:
    return table["label"] + table["is_uppercase"].astype("str")
