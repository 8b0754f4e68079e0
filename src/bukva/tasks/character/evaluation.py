"""How well characters are read.

Shapes: N samples, H x W pixels, K classes.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import pandas as pd

from bukva.core.arrays import UInt8Array
from bukva.core.evaluation.scores import score_difference, score_share
from bukva.core.evaluation.timing import median_call_ms
from bukva.core.task import Scores
from bukva.tasks.character.recogniser import CharacterRecogniser

_ONE_FORM: Final = "CIJKLMOPSUVWXYZ"


def merge(labels: pd.Series) -> pd.Series:
    """Return the labels of ByMerge, which joins the cases that differ by size only: `c` to `C`.

    Cohen et al. 2017, "EMNIST: an extension of MNIST to handwritten letters", section II.B.
    """
    return labels.replace({letter.lower(): letter for letter in _ONE_FORM})


def predict(
    recogniser: CharacterRecogniser, tests: pd.DataFrame, images_NHW: UInt8Array
) -> pd.DataFrame:
    """Return the samples with what is predicted for them, `predicted` and its `probability`."""
    probabilities_NK = recogniser.probabilities(images_NHW)
    predicted = [recogniser.labels[index] for index in probabilities_NK.argmax(axis=1)]
    return tests.assign(predicted=predicted, probability=probabilities_NK.max(axis=1).astype(float))


def score(predictions: pd.DataFrame) -> Scores:
    """Return the accuracy over all classes and over merged ones, with 95 % intervals."""
    label, predicted = predictions["label"], predictions["predicted"]
    return {
        **score_share("all.accuracy", label.eq(predicted).to_numpy()),
        **score_share("all.merged_accuracy", merge(label).eq(merge(predicted)).to_numpy()),
    }


def compare(first: pd.DataFrame, second: pd.DataFrame) -> Scores:
    """Return the difference of the accuracies, second minus first, on the same samples."""
    one_N, other_N = (each["label"].eq(each["predicted"]).to_numpy() for each in (first, second))
    return score_difference("accuracy", one_N, other_N)


def per_class_report(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return precision, recall, F1 and the number of test samples of each class."""
    from sklearn.metrics import precision_recall_fscore_support

    labels = sorted(predictions["label"].unique())
    scores = precision_recall_fscore_support(
        predictions["label"], predictions["predicted"], labels=labels, zero_division=0
    )
    columns = zip(("precision", "recall", "f1", "samples"), scores, strict=True)
    return pd.DataFrame({"label": labels, **dict(columns)})


def measure(
    name: str, read: Callable[[UInt8Array], Sequence[str]], size: int, train_s: float,
    tests: tuple[pd.DataFrame, UInt8Array], latency_calls: int,
) -> dict[str, Any]:  # fmt: skip
    """Return a row of the table of all that was trained on the same characters.

    Args:
        name: Of the network, or of the tree.
        read: Returns the labels of images.
        size: Weights, or nodes of the tree.
        train_s: Seconds of its training.
        tests: Table and images, row-aligned.
        latency_calls: How many single images are timed.
    """
    table, images_NHW = tests
    predictions = table.assign(predicted=list(read(images_NHW)))
    means = per_class_report(predictions)[["precision", "recall", "f1"]].mean()
    scores = {key: value for key, value in score(predictions).items() if not key.endswith(".n")}
    latency_ms = median_call_ms(
        lambda row: read(images_NHW[row : row + 1]), len(table), latency_calls
    )
    return {
        "name": name,
        **scores,
        **{f"mean_{key}": round(float(mean), 4) for key, mean in means.items()},
        "size": size,
        "train_s": round(train_s, 1),
        "latency_ms": round(latency_ms, 4),
    }
