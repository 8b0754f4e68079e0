"""Nodes of the task `document`.

Shapes: N lines, H x W pixels.
"""

import json
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bukva.core.arrays import UInt8Array
from bukva.core.evaluation.timing import median_call_ms
from bukva.core.golden import write_golden
from bukva.core.imaging.upscaling import encode_page
from bukva.core.samples import LazyCorpora, digest_test_split, of_split
from bukva.registry.package_files import GOLDEN, RESULTS, TEST_SPLIT_TAG
from bukva.registry.packaging import Package
from bukva.tasks.document.drawn_lines import draw_lines
from bukva.tasks.document.evaluation.confound import (
    across_sources,
    choose_controls,
    leave_out,
    read_raw,
    score_controls,
    score_saliency,
    score_stroke_width,
    take_ink_off,
)
from bukva.tasks.document.evaluation.pictures import choose_pictures, score_lines, score_pictures
from bukva.tasks.document.evaluation.scores import predict, recall_at_specificity, score
from bukva.tasks.document.figures import plot_lines
from bukva.tasks.document.parameters import (
    DataParameters,
    EvaluationParameters,
    TrainingParameters,
)
from bukva.tasks.document.recogniser import DocumentRecogniser
from bukva.tasks.document.training import train
from bukva.tasks.document.transfer import Weights, transfer

Results = dict[str, Any]
_GOLDEN_LINES = 8


def test(
    recogniser: DocumentRecogniser, table: pd.DataFrame, images_NHW: UInt8Array,
    parameters: EvaluationParameters,
) -> tuple[pd.DataFrame, Results]:  # fmt: skip
    """Return what is predicted for the test split, and its scores."""
    predictions = predict(recogniser, *of_split(table, images_NHW, "test"))
    results = score(predictions, parameters.resamples)
    for corpus, rows in predictions.groupby("corpus"):
        if rows["label"].nunique() == 2:
            key = f"{corpus}.handwritten.recall_at_98_specificity"
            results[key] = round(recall_at_specificity(rows, 0.98), 6)
    return predictions, results | {"model.onnx_sha256": recogniser.sha256}


def measure_confound(
    recogniser: DocumentRecogniser, corpora: LazyCorpora, table: pd.DataFrame,
    images_NHW: UInt8Array, data: DataParameters, training: TrainingParameters,
    parameters: EvaluationParameters,
) -> pd.DataFrame:  # fmt: skip
    """Return what tells whether it is the writing that is looked at, a row a question."""
    tests, tests_NHW = of_split(table, images_NHW, "test")
    predictions = predict(recogniser, tests, tests_NHW)
    shorter = training.model_copy(update={"max_epochs": parameters.left_out_epochs})

    def train_shorter(rows: pd.DataFrame, rows_NHW: UInt8Array) -> DocumentRecogniser:
        return train(rows, rows_NHW, shorter).recogniser

    chosen = choose_controls(table, parameters.controls)
    tested = chosen[chosen["split"].eq("test")]
    pictures = choose_pictures(table, parameters.controls // 10)
    stacked = {name for some in pictures.values() for names in some for name in names}
    raw = read_raw(corpora, stacked | set(chosen["sample_id"]), data)
    rows = [
        *score_controls(take_ink_off(chosen, raw, recogniser), recogniser),
        score_stroke_width(table, images_NHW, parameters.controls),
        score_saliency(recogniser, tests_NHW),
        *across_sources(predictions),
        *score_lines(recogniser, tested, raw),
        *score_pictures(recogniser, pictures, raw),
        *(
            leave_out(source, train_shorter, table, images_NHW, parameters.resamples)
            for source in parameters.left_out
        ),
    ]
    return pd.DataFrame(rows)


def compare_networks(
    recogniser: DocumentRecogniser, history: pd.DataFrame, table: pd.DataFrame,
    images_NHW: UInt8Array, weights: Weights | None, training: TrainingParameters,
    parameters: EvaluationParameters,
) -> pd.DataFrame:  # fmt: skip
    """Return a row for the network, and for MobileNetV2 where it is asked for."""
    tests = of_split(table, images_NHW, "test")
    rows = [_measure(recogniser, float(history["seconds"].sum()), tests, parameters)]
    if parameters.transfer:
        other, seconds = transfer(
            table, images_NHW, weights, parameters.transfer, training.variation
        )
        rows.append(_measure(other, seconds, tests, parameters))
    return pd.DataFrame(rows)


def _measure(
    recogniser: DocumentRecogniser, train_s: float, tests: tuple[pd.DataFrame, UInt8Array],
    parameters: EvaluationParameters,
) -> Results:  # fmt: skip
    table, images_NHW = tests
    scores = score(predict(recogniser, table, images_NHW), parameters.resamples)
    pages = [encode_page(255 - image_HW) for image_HW in images_NHW[:50]]
    latency_ms = median_call_ms(
        lambda row: recogniser.answer([pages[row]]), len(pages), parameters.latency_calls
    )
    low, high = scores.get("all.balanced_accuracy.ci95", (np.nan, np.nan))
    return {
        "name": recogniser.spec["network"],
        "balanced_accuracy": scores.get("all.balanced_accuracy"),
        "ci95": f"{low:.4f}-{high:.4f}",
        "roc_auc": scores.get("all.roc_auc"),
        "f1": scores["all.f1"],
        "ece": scores["all.ece"],
        "parameters": recogniser.spec["weights"],
        "onnx_kb": round(len(recogniser.onnx_model) / 1000),
        "train_s": round(train_s, 1),
        "bytes_to_answer_ms": round(latency_ms, 2),
    }


def plot_tested(
    recogniser: DocumentRecogniser, predictions: pd.DataFrame, table: pd.DataFrame,
    images_NHW: UInt8Array,
) -> Figure:  # fmt: skip
    """Draw tested lines: see `plot_lines`."""
    return plot_lines(recogniser, predictions, of_split(table, images_NHW, "test")[1])


def assemble(
    recogniser: DocumentRecogniser, results: Results, table: pd.DataFrame, images_NHW: UInt8Array
) -> Package:
    """Put the recogniser together with golden samples, results and what is written down of it.

    The golden samples are drawn: no image of a corpus is handed on.
    """
    tests, tests_NHW = of_split(table, images_NHW, "test")
    tags = {
        "network": recogniser.spec["network"],
        "parameters": recogniser.spec["parameters"],
        "corpora": sorted(tests["corpus"].unique()),
        TEST_SPLIT_TAG: digest_test_split(tests, tests_NHW),
    }
    examples = [encode_page(np.asarray(line.image)) for line in draw_lines(_GOLDEN_LINES, seed=0)]
    files = {
        GOLDEN: write_golden(recogniser, examples, "label"),
        RESULTS: json.dumps(results, indent=2).encode(),
    }
    numbers = {key: value for key, value in results.items() if isinstance(value, float)}
    return Package(recogniser, files, tags, numbers)
