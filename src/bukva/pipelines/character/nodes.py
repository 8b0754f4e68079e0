"""Nodes of the task `character`.

Shapes: N samples, H x W pixels.
"""

import json
import time
from collections.abc import Iterator
from typing import Any

import pandas as pd
from sklearn.tree import DecisionTreeClassifier

from bukva.core.arrays import UInt8Array
from bukva.core.corpora.sklearn_digits import read_sklearn_digits
from bukva.core.samples import digest_test_split
from bukva.registry.names import TEST_SPLIT_TAG
from bukva.registry.package_files import GOLDEN, RESULTS
from bukva.registry.packaging import Package
from bukva.tasks.character.evaluation import measure, score
from bukva.tasks.character.parameters import (
    DataParameters,
    EvaluationParameters,
    TrainingParameters,
)
from bukva.tasks.character.recogniser import CharacterRecogniser
from bukva.tasks.character.task import predict, write_golden
from bukva.tasks.character.training import Corpora, collect, train

Results = dict[str, Any]


def process(corpora: Corpora, parameters: DataParameters) -> tuple[pd.DataFrame, UInt8Array]:
    """Read the corpora, or the digits that need no download."""
    return collect(corpora or {"digits": read_sklearn_digits}, parameters)


def test(
    recogniser: CharacterRecogniser, table: pd.DataFrame, images_NHW: UInt8Array
) -> tuple[pd.DataFrame, Results]:
    """Return what is predicted for the test split, and its scores."""
    predictions = predict(recogniser, *_of_split(table, images_NHW, "test"))
    return predictions, score(predictions) | {"model.onnx_sha256": recogniser.sha256}


def compare_networks(
    recogniser: CharacterRecogniser,
    history: pd.DataFrame,
    table: pd.DataFrame,
    images_NHW: UInt8Array,
    training: TrainingParameters,
    parameters: EvaluationParameters,
) -> pd.DataFrame:
    """Return a row for the network, and for each that is trained and grown here beside it."""
    tests = _of_split(table, images_NHW, "test")
    rows = [_measure(recogniser, history, tests, parameters.latency_calls)]
    for network, width in parameters.others.items():
        changed = {"network": network, "width": width, "max_epochs": parameters.other_epochs}
        other, other_history = train(table, images_NHW, training.model_copy(update=changed))
        rows.append(_measure(other, other_history, tests, parameters.latency_calls))
    return pd.DataFrame([*rows, *_grow_tree(table, images_NHW, tests, parameters)])


def _measure(
    recogniser: CharacterRecogniser, history: pd.DataFrame, tests: Any, calls: int
) -> Results:
    def read(some_NHW: UInt8Array) -> list[str]:
        return [recogniser.labels[k] for k in recogniser.probabilities(some_NHW).argmax(axis=1)]

    spec, train_s = recogniser.spec, float(history["seconds"].sum())
    return measure(spec["network"], read, spec["weights"], train_s, tests, calls)


def _grow_tree(
    table: pd.DataFrame, images_NHW: UInt8Array, tests: Any, parameters: EvaluationParameters
) -> Iterator[Results]:
    train_table, train_NHW = _of_split(table, images_NHW, "train")
    tree = DecisionTreeClassifier(max_depth=parameters.tree_depth, random_state=1)
    started_s = time.perf_counter()
    tree.fit(train_NHW.reshape(len(train_NHW), -1), train_table["label"])
    train_s = time.perf_counter() - started_s

    def read(some_NHW: UInt8Array) -> list[str]:
        return list(tree.predict(some_NHW.reshape(len(some_NHW), -1)))

    calls = parameters.latency_calls
    yield measure("decision_tree", read, tree.tree_.node_count, train_s, tests, calls)


def assemble(
    recogniser: CharacterRecogniser, results: Results, table: pd.DataFrame, images_NHW: UInt8Array
) -> Package:
    """Put the recogniser together with golden samples, results and what is written down of it."""
    tests, tests_NHW = _of_split(table, images_NHW, "test")
    first = tests.reset_index(drop=True).groupby("label").head(1).index
    tags = {
        "network": recogniser.spec["network"],
        "parameters": recogniser.spec["parameters"],
        "corpora": sorted(tests["corpus"].unique()),
        TEST_SPLIT_TAG: digest_test_split(tests, tests_NHW),
    }
    files = {
        GOLDEN: write_golden(recogniser, tests_NHW[first]),
        RESULTS: json.dumps(results, indent=2).encode(),
    }
    numbers = {key: value for key, value in results.items() if isinstance(value, float)}
    return Package(recogniser, files, tags, numbers)


def _of_split(
    table: pd.DataFrame, images_NHW: UInt8Array, split: str
) -> tuple[pd.DataFrame, UInt8Array]:
    is_chosen = table["split"].eq(split)
    return table[is_chosen], images_NHW[is_chosen.to_numpy()]
