"""The split on which the closest published system was measured, reproduced to the byte.

nazavr322/ukr-handwriting-classification: every row of rukopys's master table, and the first 50
images of each digit in MNIST's *test* part, split by scikit-learn with a fixed seed into 1,281 and
300 samples. Digits count as upper case there.
"""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bukva.core.alphabets import DIGITS
from bukva.core.corpora.contents import parse_bool
from bukva.core.corpora.rukopys import parse_glyphs
from bukva.core.samples import Split
from bukva.errors import CorpusCorruptError

DIGITS_PER_CLASS: Final = 50
TEST_SAMPLES: Final = 300
_SEED: Final = 1
_PUBLISHED_COLUMNS: Final = ["label", "lbl_code", "is_uppercase", "filename"]


def published_split(glyphs_csv: bytes, mnist_test_labels: NDArray[np.uint8]) -> pd.DataFrame:
    """Return the published split, one row a sample.

    Args:
        glyphs_csv: `glyphs.csv` of rukopys's `master.zip`.
        mnist_test_labels: Labels of MNIST's test part in file order, shape (10000,).

    Returns:
        A table in the published order, train before test, with the published columns `label`,
        `lbl_code` (a number by first appearance), `is_uppercase` (0 or 1) and `filename`, and with
        `split`, `corpus` and `name`: the sample that it is, as our readers name it.

    Raises:
        CorpusCorruptError: If the table cannot be used or a digit has fewer than 50 images.
    """
    from sklearn.model_selection import train_test_split

    samples = pd.DataFrame(
        _digit_rows(mnist_test_labels) + _letter_rows(glyphs_csv),
        columns=["label", "is_uppercase", "filename", "corpus", "name"],
    )
    samples.insert(1, "lbl_code", pd.factorize(samples["label"])[0])
    train, test = train_test_split(samples, test_size=TEST_SAMPLES, random_state=_SEED)
    parts: list[pd.DataFrame] = [train.assign(split="train"), test.assign(split="test")]
    return pd.concat(parts, ignore_index=True)


def published_csv(table: pd.DataFrame, split: Split) -> bytes:
    """Return one part of the split as the CSV file that was published."""
    part = table.loc[table["split"] == split, _PUBLISHED_COLUMNS]
    return part.to_csv(index=False, lineterminator="\n").encode()


def published_names(table: pd.DataFrame, split: Split) -> dict[str, frozenset[str]]:
    """Return the names of the samples in one part of the split, by corpus."""
    part = table[table["split"] == split]
    return {str(corpus): frozenset(group) for corpus, group in part.groupby("corpus")["name"]}


def _digit_rows(test_labels: NDArray[np.uint8]) -> list[tuple[str, int, str, str, str]]:
    """Rows of digits, class by class; `glyphs/7-12.png` is the 13th test image of class 7."""
    rows = []
    for digit in DIGITS:
        indices = np.flatnonzero(test_labels == int(digit))[:DIGITS_PER_CLASS]
        if len(indices) < DIGITS_PER_CLASS:
            message = f"Expected {DIGITS_PER_CLASS} test images of digit {digit} in MNIST"
            raise CorpusCorruptError(f"{message}, got {len(indices)}.")
        rows += [
            (digit, 1, f"glyphs/{digit}-{number}.png", "mnist", f"test-{index:05d}")
            for number, index in enumerate(indices)
        ]
    return rows


def _letter_rows(glyphs_csv: bytes) -> list[tuple[str, int, str, str, str]]:
    return [
        (
            row["label"],
            int(parse_bool(row["is_uppercase"], f"is_uppercase of {row['filename']}")),
            row["filename"],
            "rukopys",
            row["filename"],
        )
        for row in parse_glyphs(glyphs_csv)
    ]
