"""How well characters are read.

Shapes: N samples, H x W pixels, K classes.
"""

from collections.abc import Callable
from typing import Any, Final

import pandas as pd
from sklearn.metrics import precision_recall_fscore_support

from bukva.core.arrays import Float32Array, UInt8Array
from bukva.core.evaluation.intervals import (
    mcnemar_p_value,
    paired_difference_interval,
    wilson_interval,
)
from bukva.core.evaluation.timing import median_call_ms
from bukva.core.task import Scores

_ONE_FORM: Final = "CIJKLMOPSUVWXYZ"


def merge(labels: pd.Series) -> pd.Series:
    """Return the labels of ByMerge, which joins the cases that differ by size only: `c` to `C`.

    Cohen et al. 2017, "EMNIST: an extension of MNIST to handwritten letters", section II.B.
    """
    return labels.replace({letter.lower(): letter for letter in _ONE_FORM})


def make_predictions(
    tests: pd.DataFrame, probabilities_NK: Float32Array, labels: str
) -> pd.DataFrame:
    """Return the samples with what is predicted for them, `predicted` and its `probability`."""
    predicted = [labels[index] for index in probabilities_NK.argmax(axis=1)]
    return tests.assign(predicted=predicted, probability=probabilities_NK.max(axis=1).astype(float))


def score(predictions: pd.DataFrame) -> Scores:
    """Return the accuracy over all classes and over merged ones, with Wilson's 95 % intervals."""
    is_right = {
        "all.accuracy": predictions["label"].eq(predictions["predicted"]),
        "all.merged_accuracy": merge(predictions["label"]).eq(merge(predictions["predicted"])),
    }
    scores: Scores = {}
    for key, right_N in is_right.items():
        scores[key] = round(float(right_N.mean()), 6)
        interval = wilson_interval(int(right_N.sum()), len(right_N))
        scores[f"{key}.ci95"] = [round(end, 6) for end in interval]
        scores[f"{key}.n"] = len(right_N)
    return scores


def per_class_report(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return precision, recall, F1 and the number of test samples of each class."""
    labels = sorted(predictions["label"].unique())
    precision, recall, f1, count = precision_recall_fscore_support(
        predictions["label"], predictions["predicted"], labels=labels, zero_division=0
    )
    return pd.DataFrame(
        {"label": labels, "precision": precision, "recall": recall, "f1": f1, "samples": count}
    )


def compare(first: pd.DataFrame, second: pd.DataFrame) -> Scores:
    """Return the difference of the accuracies, second minus first, on the same samples."""
    one_N, other_N = (each["label"].eq(each["predicted"]).to_numpy() for each in (first, second))
    only_first, only_second = int((one_N & ~other_N).sum()), int((other_N & ~one_N).sum())
    return {
        "accuracy.difference": float(other_N.mean() - one_N.mean()),
        "accuracy.difference.ci95": [*paired_difference_interval(one_N, other_N)],
        "accuracy.difference.n": len(first),
        "accuracy.p_value": mcnemar_p_value(only_first, only_second),
    }


def measure(
    name: str, predict: Callable[[UInt8Array], Any], size: int, train_s: float,
    tests: tuple[pd.DataFrame, UInt8Array], latency_calls: int,
) -> Scores:  # fmt: skip
    """Return a row of the table of all that was trained on the same characters.

    Args:
        name: Of the network, or of the tree.
        predict: Returns the labels of images, one after the other.
        size: Weights, or nodes of the tree.
        train_s: Seconds of its training.
        tests: Table and images, row-aligned.
        latency_calls: How many single images are timed.
    """
    table, images_NHW = tests
    scores = score(table.assign(predicted=list(predict(images_NHW))))
    latency_ms = median_call_ms(
        lambda row: predict(images_NHW[row : row + 1]), len(table), latency_calls
    )
    return {
        "name": name,
        **{key: value for key, value in scores.items() if not key.endswith(".n")},
        "size": size,
        "train_s": round(train_s, 1),
        "latency_ms": round(latency_ms, 4),
    }
