"""Nodes of the task `line`.

Shapes: N lines or characters, H x W pixels of a line, S x S of a character.
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
from bukva.core.training.checkpoint import CheckpointStore
from bukva.core.training.fit import OnEpoch
from bukva.registry.package_files import GOLDEN, RESULTS, TEST_SPLIT_TAG
from bukva.registry.packaging import Package
from bukva.tasks.line.characters import Characters, collect_characters
from bukva.tasks.line.collection import collect
from bukva.tasks.line.evaluation.classic import measure as measure_classic
from bukva.tasks.line.evaluation.figures import plot_lines
from bukva.tasks.line.evaluation.scores import (
    describe_reader,
    predict,
    score,
    score_calibration,
    score_nothing,
)
from bukva.tasks.line.evaluation.tables import list_confusions
from bukva.tasks.line.figures import plot_made_lines
from bukva.tasks.line.font_lines import FONTS
from bukva.tasks.line.language_model import LanguageModel
from bukva.tasks.line.line_maker import LineMaker
from bukva.tasks.line.parameters import DataParameters, SynthesisParameters
from bukva.tasks.line.recogniser import LineRecogniser
from bukva.tasks.line.training import Source, Trained, train
from bukva.tasks.line.training_parameters import EvaluationParameters, TrainingParameters

Results = dict[str, Any]
_GOLDEN_LINES = 8
_TIMED_LINES = 50
_SEED_OF_NOTHING = 2


def gather_characters(
    corpora: LazyCorpora, parameters: DataParameters
) -> tuple[pd.DataFrame, UInt8Array]:
    """Return the characters that lines are set in: see `collect_characters`."""
    characters = collect_characters(corpora, parameters)
    return characters.table, characters.images_NSS


def process(
    corpora: LazyCorpora, character_table: pd.DataFrame, character_images_NSS: UInt8Array,
    parameters: DataParameters,
) -> tuple[pd.DataFrame, UInt8Array, pd.DataFrame, Results]:  # fmt: skip
    """Return sample table, sample images, texts and report: see `collect`."""
    characters = Characters(character_table, character_images_NSS)
    return tuple(collect(corpora, characters, parameters))  # type: ignore[return-value]


def plot_made(
    texts: pd.DataFrame, character_table: pd.DataFrame, character_images_NSS: UInt8Array,
    parameters: DataParameters,
) -> Figure:  # fmt: skip
    """Draw made lines: see `plot_made_lines`."""
    characters = Characters(character_table, character_images_NSS)
    return plot_made_lines(texts, characters, parameters)


def train_reader(  # noqa: PLR0913, PLR0917 - Kedro names each input
    table: pd.DataFrame,
    images_NHW: UInt8Array,
    texts: pd.DataFrame,
    character_table: pd.DataFrame,
    character_images_NSS: UInt8Array,
    data: DataParameters,
    language_model: LanguageModel,
    parameters: TrainingParameters,
    checkpoints: CheckpointStore,
    epoch_metrics: OnEpoch,
) -> Trained:
    """Return recogniser, history and weights: see `train`."""
    source = Source(texts, Characters(character_table, character_images_NSS), data)
    return train(table, images_NHW, source, language_model, parameters, checkpoints, epoch_metrics)


def test(
    recogniser: LineRecogniser, table: pd.DataFrame, images_NHW: UInt8Array,
    parameters: EvaluationParameters,
) -> tuple[pd.DataFrame, Results]:  # fmt: skip
    """Return what is read of the test split, and its scores."""
    tests, tests_NHW = of_split(table, images_NHW, "test")
    predictions = predict(recogniser, tests, tests_NHW)
    pages = [encode_page(255 - image_HW) for image_HW in tests_NHW[:_TIMED_LINES]]
    latency_ms = median_call_ms(
        lambda row: recogniser.answer([pages[row]]), len(pages), parameters.latency_calls
    )
    blank = LineMaker(SynthesisParameters(empty=1.0), split="test")
    nothing, _ = blank.draw(parameters.nothing, np.random.default_rng(_SEED_OF_NOTHING))
    results = {
        **score(predictions, parameters.resamples),
        **score_calibration(predictions),
        **score_nothing(recogniser, nothing),
    }
    return predictions, results | {
        "model.bytes_to_answer_ms": round(latency_ms, 2),
        "model.weights": recogniser.spec["weights"],
        "model.onnx_sha256": recogniser.sha256,
    }


def count_confusions(predictions: pd.DataFrame, parameters: EvaluationParameters) -> pd.DataFrame:
    """Return the most frequent edits: see `list_confusions`."""
    return list_confusions(predictions, parameters.confusions)


def compare_networks(  # noqa: PLR0913, PLR0917 - Kedro names each input
    history: pd.DataFrame,
    predictions: pd.DataFrame,
    table: pd.DataFrame,
    images_NHW: UInt8Array,
    texts: pd.DataFrame,
    character_table: pd.DataFrame,
    character_images_NSS: UInt8Array,
    data: DataParameters,
    parameters: EvaluationParameters,
) -> pd.DataFrame:
    """Return a row for the network, and one for the classic where it is asked for."""
    train_s = round(float(history["seconds"].sum()), 1)
    if parameters.classic is None:
        return pd.DataFrame([describe_reader(predictions, train_s)])
    collection = parameters.classic.collection
    is_made = {"characters": float(collection != FONTS), "empty": 0.0}
    synthesis = data.synthesis.model_copy(update=is_made)
    characters = Characters(character_table, character_images_NSS)
    makers = (
        LineMaker(synthesis, texts, characters, "train"),
        LineMaker(synthesis, texts, characters, "valid"),
    )
    tests, tests_NHW = of_split(table, images_NHW, "test")
    is_tested = tests["collection"].eq(collection).to_numpy()
    tested = predictions[predictions["collection"].eq(collection)]
    other = measure_classic(makers, tests[is_tested], tests_NHW[is_tested], parameters.classic)
    return pd.DataFrame([describe_reader(tested, train_s), other])


def plot_tested(
    predictions: pd.DataFrame, table: pd.DataFrame, images_NHW: UInt8Array,
    parameters: EvaluationParameters,
) -> Figure:  # fmt: skip
    """Draw tested lines: see `plot_lines`."""
    return plot_lines(predictions, of_split(table, images_NHW, "test")[1], parameters.worst)


def assemble(
    recogniser: LineRecogniser, results: Results, table: pd.DataFrame, images_NHW: UInt8Array
) -> Package:
    """Put the recogniser together with golden samples, results and what is written down of it.

    The golden samples are set in fonts: no image of a corpus is handed on.
    """
    tests, tests_NHW = of_split(table, images_NHW, "test")
    tags = {
        "network": recogniser.spec["network"],
        "parameters": recogniser.spec["parameters"],
        "language_model": recogniser.spec["language_model"],
        "corpora": sorted(tests["corpus"].unique()),
        TEST_SPLIT_TAG: digest_test_split(tests, tests_NHW),
    }
    drawn, _ = LineMaker(SynthesisParameters()).draw(_GOLDEN_LINES, np.random.default_rng(0))
    examples = [encode_page(255 - ink_HW) for ink_HW in drawn]
    files = {
        GOLDEN: write_golden(recogniser, examples, "text"),
        RESULTS: json.dumps(results, indent=2).encode(),
    }
    numbers = {key: value for key, value in results.items() if isinstance(value, float)}
    return Package(recogniser, files, tags, numbers)
