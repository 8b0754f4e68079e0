"""What is measured of a network, and of the tree beside it.

Shapes: N samples, H x W pixels, K labels.
"""

import hashlib
import logging
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import pandas as pd

from bukva.charset import DIGITS
from bukva.data.columns import page_features
from bukva.data.preprocessing import PAGE_FEATURES
from bukva.data.samples import Float32Array, Split, UInt8Array
from bukva.evaluation.metrics import score
from bukva.evaluation.prediction_table import make_prediction_table
from bukva.evaluation.timing import Seconds, median_call_ms, timed
from bukva.inference.export import export_onnx
from bukva.inference.recogniser import Recogniser
from bukva.models.decision_tree import DecisionTree
from bukva.parameters import TrainingParameters
from bukva.pipeline_templates.training import train_model
from bukva.training.checkpoint import CheckpointStore

logger = logging.getLogger(__name__)

Measurement: TypeAlias = dict[str, str | float | int]
"""One row of the comparison, ready for JSON."""

COLUMNS: Final = (
    "name",
    "accuracy",
    "ci_low",
    "ci_high",
    "test_samples",
    "weights",
    "file_bytes",
    "train_s",
    "train_cpu_s",
    "latency_ms",
)


class Digits(NamedTuple):
    """Samples of digits whose page is forgotten, as the tree sees pixels only."""

    table: pd.DataFrame
    images_NHW: UInt8Array

    def of_split(self, split: Split) -> "Digits":
        """Return the samples of one split."""
        is_chosen = self.table["split"].eq(split)
        return Digits(self.table[is_chosen], self.images_NHW[is_chosen.to_numpy()])

    def digest(self) -> str:
        """Return a sha256 over everything that a measurement depends on."""
        digest = hashlib.sha256(np.ascontiguousarray(self.images_NHW).tobytes())
        digest.update(self.table[["sample_id", "label", "split"]].to_json().encode())
        return digest.hexdigest()


def select_digits(
    table: pd.DataFrame, images_NHW: UInt8Array, corpora: Mapping[str, float]
) -> Digits:
    """Take the digits of the weighted corpora out of the sample table and its images."""
    used = [name for name, weight in corpora.items() if weight]
    is_used = table["corpus"].isin(used) & table["label"].isin(list(DIGITS))
    chosen = table[is_used].assign(**dict.fromkeys(PAGE_FEATURES, np.nan))
    return Digits(chosen, images_NHW[is_used.to_numpy()])


def measure_network(
    name: str,
    digits: Digits,
    training: TrainingParameters,
    opset: int,
    latency_calls: int,
    checkpoints: CheckpointStore,
) -> pd.DataFrame:
    """Train a network and measure it as it would serve, in ONNX Runtime, on one thread.

    Args:
        name: What it is called in the table.
        digits: Of all splits.
        training: What to train, and how.
        opset: ONNX operator set.
        latency_calls: How many single images are timed.
        checkpoints: Where the state is kept after each epoch.

    Returns:
        One row, columns `COLUMNS`. The seconds are of the whole training, validation included,
        the second ones of the processor; `latency_ms` is of the network alone, without decoding
        and preprocessing.
    """
    (model, _), seconds = timed(lambda: train_model(*digits, training, checkpoints, None))
    recogniser = Recogniser(export_onnx(model, opset))
    tests = digits.of_split("test")
    page_NF = page_features(tests.table)
    predictions = _predict(tests, recogniser.probabilities(tests.images_NHW, page_NF).label_NK)

    def answer(index: int) -> object:
        one = slice(index, index + 1)
        return recogniser.probabilities(tests.images_NHW[one], page_NF[one])

    measurement: Measurement = {
        "name": name,
        **_accuracy(predictions),
        "weights": sum(weight.numel() for weight in model.to_network().parameters()),
        "file_bytes": len(recogniser.onnx_model),
        **_training_time(seconds),
        "latency_ms": _latency_ms(answer, tests, latency_calls),
    }
    _log(measurement)
    return pd.DataFrame([measurement])


def measure_tree(digits: Digits, seed: int, latency_calls: int) -> tuple[Measurement, pd.DataFrame]:
    """Grow a decision tree on the training split; return its row and its prediction table.

    A tree's `weights` are its nodes, and its file is estimated: it is never written.
    """
    train = digits.of_split("train")
    labels_N = train.table["label"].map(DIGITS.index).to_numpy(dtype=np.int64)
    tree, seconds = timed(lambda: DecisionTree.fit(train.images_NHW, labels_N, len(DIGITS), seed))
    tests = digits.of_split("test")
    predictions = _predict(tests, tree.probabilities(tests.images_NHW))

    def answer(index: int) -> object:
        return tree.probabilities(tests.images_NHW[index : index + 1])

    measurement: Measurement = {
        "name": "decision_tree",
        **_accuracy(predictions),
        "weights": tree.nodes,
        "file_bytes": tree.estimated_bytes,
        **_training_time(seconds),
        "latency_ms": _latency_ms(answer, tests, latency_calls),
    }
    _log(measurement)
    return measurement, predictions


def _predict(tests: Digits, label_NK: Float32Array) -> pd.DataFrame:
    """Return the prediction table of digits, which have no case."""
    no_case_N = np.zeros(len(label_NK), dtype=np.float32)
    return make_prediction_table(tests.table, label_NK, no_case_N, DIGITS)


def _accuracy(predictions: pd.DataFrame) -> Measurement:
    scores: dict[str, Any] = score(predictions)
    key = "all.label_accuracy"
    low, high = scores[f"{key}.ci95"]
    return {
        "accuracy": scores[key],
        "ci_low": low,
        "ci_high": high,
        "test_samples": scores[f"{key}.n"],
    }


def _training_time(seconds: Seconds) -> Measurement:
    return {"train_s": round(seconds.wall, 3), "train_cpu_s": round(seconds.processor, 3)}


def _latency_ms(answer: Callable[[int], object], tests: Digits, calls: int) -> float:
    return round(median_call_ms(answer, len(tests.table), calls), 4)


def _log(measurement: Measurement) -> None:
    logger.info(
        "%(name)s: %(accuracy).4f right of %(test_samples)d, %(weights)d weights, "
        "%(train_cpu_s).1f processor seconds of training, %(latency_ms).3f ms an image",
        measurement,
    )
