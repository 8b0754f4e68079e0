"""Nodes of the task `character`.

Shapes: N samples, H x W pixels.
"""

import json
import time
from typing import Any

import pandas as pd

from bukva.core.arrays import UInt8Array
from bukva.core.corpora.sklearn_digits import read_sklearn_digits
from bukva.core.golden import write_golden
from bukva.core.imaging.upscaling import encode_page
from bukva.core.samples import LazyCorpora, digest_test_split, of_split
from bukva.registry.package_files import GOLDEN, RESULTS, TEST_SPLIT_TAG
from bukva.registry.packaging import Package
from bukva.tasks.character.evaluation import measure, predict, score
from bukva.tasks.character.parameters import (
    DataParameters,
    EvaluationParameters,
    TrainingParameters,
)
from bukva.tasks.character.recogniser import CharacterRecogniser
from bukva.tasks.character.training import collect, train

Results = dict[str, Any]


def process(corpora: LazyCorpora, parameters: DataParameters) -> tuple[pd.DataFrame, UInt8Array]:
    """Read the corpora, or the digits that need no download."""
    return collect(corpora or {"digits": read_sklearn_digits}, parameters)


def test(
    recogniser: CharacterRecogniser, table: pd.DataFrame, images_NHW: UInt8Array
) -> tuple[pd.DataFrame, Results]:
    """Return what is predicted for the test split, and its scores."""
    predictions = predict(recogniser, *of_split(table, images_NHW, "test"))
    return predictions, score(predictions) | {"model.onnx_sha256": recogniser.sha256}


def compare_networks(
    recogniser: CharacterRecogniser, history: pd.DataFrame, table: pd.DataFrame,
    images_NHW: UInt8Array, training: TrainingParameters, parameters: EvaluationParameters,
) -> pd.DataFrame:  # fmt: skip
    """Return a row for the network, and for each that is trained and grown here beside it."""
    tests = of_split(table, images_NHW, "test")
    rows = [_measure(recogniser, history, tests, parameters.latency_calls)]
    for network, width in parameters.others.items():
        changed = {"network": network, "width": width, "max_epochs": parameters.other_epochs}
        other = train(table, images_NHW, training.model_copy(update=changed))
        rows.append(_measure(*other, tests, parameters.latency_calls))
    return pd.DataFrame([*rows, _measure_tree(table, images_NHW, tests, parameters)])


def _measure(
    recogniser: CharacterRecogniser, history: pd.DataFrame, tests: Any, calls: int
) -> Results:
    def read(some_NHW: UInt8Array) -> list[str]:
        return [recogniser.labels[k] for k in recogniser.probabilities(some_NHW).argmax(axis=1)]

    spec, train_s = recogniser.spec, float(history["seconds"].sum())
    return measure(spec["network"], read, spec["weights"], train_s, tests, calls)


def _measure_tree(
    table: pd.DataFrame, images_NHW: UInt8Array, tests: Any, parameters: EvaluationParameters
) -> Results:
    from sklearn.tree import DecisionTreeClassifier

    train_table, train_NHW = of_split(table, images_NHW, "train")
    tree = DecisionTreeClassifier(max_depth=parameters.tree_depth, random_state=1)
    started_s = time.perf_counter()
    tree.fit(train_NHW.reshape(len(train_NHW), -1), train_table["label"])
    train_s = time.perf_counter() - started_s

    def read(some_NHW: UInt8Array) -> list[str]:
        return list(tree.predict(some_NHW.reshape(len(some_NHW), -1)))

    size, calls = tree.tree_.node_count, parameters.latency_calls
    return measure("decision_tree", read, size, train_s, tests, calls)


def assemble(
    recogniser: CharacterRecogniser, results: Results, table: pd.DataFrame, images_NHW: UInt8Array
) -> Package:
    """Put the recogniser together with golden samples, results and what is written down of it."""
    tests, tests_NHW = of_split(table, images_NHW, "test")
    first = tests.reset_index(drop=True).groupby("label").head(1).index
    tags = {
        "network": recogniser.spec["network"],
        "parameters": recogniser.spec["parameters"],
        "corpora": sorted(tests["corpus"].unique()),
        TEST_SPLIT_TAG: digest_test_split(tests, tests_NHW),
    }
    examples = [encode_page(255 - image_HW) for image_HW in tests_NHW[first]]
    files = {
        GOLDEN: write_golden(recogniser, examples, "character"),
        RESULTS: json.dumps(results, indent=2).encode(),
    }
    numbers = {key: value for key, value in results.items() if isinstance(value, float)}
    return Package(recogniser, files, tags, numbers)
