"""Nodes of `evaluation`.

Shapes: N samples, H x W pixels.
"""

from functools import partial
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from bukva.core.arrays import BoolArray, UInt8Array
from bukva.core.corpora.manifest import parse_manifest
from bukva.core.corpora.terms import EMBEDDED_TERMS
from bukva.core.samples import LazyCorpora
from bukva.core.task import Scores
from bukva.pipelines.templates.evaluation import predict_samples, predict_test_split
from bukva.tasks.glyph.evaluation.bootstrap import bootstrap_scores
from bukva.tasks.glyph.evaluation.conditions import (
    choose_letters,
    measure_conditions,
    read_labels,
)
from bukva.tasks.glyph.evaluation.model_card import describe_model, write_model_card
from bukva.tasks.glyph.evaluation.predictions import is_label_right
from bukva.tasks.glyph.evaluation.saliency import explain_labels
from bukva.tasks.glyph.export import export_onnx
from bukva.tasks.glyph.figures.mistakes import (
    plot_explained_mistakes,
    plot_worst_mistakes,
    rank_mistakes,
)
from bukva.tasks.glyph.figures.refusal import REFUSAL_COLUMNS, measure_refusal
from bukva.tasks.glyph.figures.robustness import choose_evenly, measure_robustness
from bukva.tasks.glyph.parameters import (
    EvaluationParameters,
    PackagingParameters,
    TrainingParameters,
)
from bukva.tasks.glyph.recogniser import Recogniser
from bukva.tasks.glyph.table import is_symbol, page_features
from bukva.tasks.glyph.trained import TrainedModel

Metrics = dict[str, float]


def merge_results(
    digit_scores: Scores,
    glyph_scores: Scores,
    bootstrapped_scores: Scores,
    refusal: Scores,
    model: TrainedModel,
    pretraining: TrainingParameters,
) -> tuple[dict[str, Any], Metrics]:
    """Return the results as one flat table, and its plain numbers for the tracker.

    The digit network has one accuracy for each corpus of digits: `mnist.accuracy`. What it was
    asked is not what the glyph network is asked, whose keys are `mnist.label_accuracy` and so on.
    """
    digits = {
        key.replace(".label_accuracy", ".accuracy"): value
        for key, value in digit_scores.items()
        if "label_accuracy" in key and key.split(".")[0] in pretraining.corpora
    }
    results = {
        **digits,
        **glyph_scores,
        **bootstrapped_scores,
        **refusal,
        "model.weights_sha256": model.digest(),
        "model.data_fingerprint": model.spec.data_fingerprint,
        "model.corpora": list(model.spec.corpora),
    }
    metrics = {key: value for key, value in results.items() if isinstance(value, float)}
    return results, metrics


def bootstrap(predictions: pd.DataFrame, parameters: EvaluationParameters) -> Scores:
    """Score what has no closed form."""
    return bootstrap_scores(predictions, parameters.resamples)


def disturb_samples(
    model: TrainedModel,
    table: pd.DataFrame,
    images_NHW: UInt8Array,
    predictions: pd.DataFrame,
    parameters: EvaluationParameters,
) -> pd.DataFrame:
    """Measure the accuracy on some of the test samples, disturbed one way after the other."""
    settings = parameters.robustness
    chosen = predictions.iloc[choose_evenly(predictions, settings.samples, settings.seed)]
    rows = pd.Index(table["sample_id"]).get_indexer(chosen["sample_id"])
    samples = table.iloc[rows]

    def is_right(frames_SHW: UInt8Array) -> BoolArray:
        return is_label_right(predict_test_split(model, samples, frames_SHW, parameters))

    return measure_robustness(
        samples["corpus"], images_NHW[rows], is_right, settings.strengths, settings.seed
    )


def measure_on_paper(
    corpora: LazyCorpora,
    table: pd.DataFrame,
    model: TrainedModel,
    parameters: EvaluationParameters,
) -> pd.DataFrame:
    """Measure, from image files to answers, how letters are read on paper and in photographs."""
    settings = parameters.conditions
    letters = choose_letters(corpora, table, settings.samples, settings.seed)
    recogniser = Recogniser(export_onnx(model, PackagingParameters().opset))
    return measure_conditions(letters, partial(read_labels, recogniser), settings.seed)


def predict_outliers(
    model: TrainedModel,
    predictions: pd.DataFrame,
    table: pd.DataFrame,
    images_NHW: UInt8Array,
    parameters: EvaluationParameters,
) -> pd.DataFrame:
    """Add to the predictions the validation symbols, and the test samples that show none."""
    is_valid = table["split"].eq("valid") & is_symbol(table)
    is_outlier = table["split"].eq("test") & ~is_symbol(table)
    others = predict_samples(model, table, images_NHW, is_valid | is_outlier, parameters)
    together = pd.concat([predictions, others], ignore_index=True)
    return together[list(REFUSAL_COLUMNS)]


def score_refusal(outlier_predictions: pd.DataFrame, parameters: EvaluationParameters) -> Scores:
    """Measure what is refused where a share of the symbols is kept."""
    return measure_refusal(outlier_predictions, parameters.kept_share)


def draw_mistakes(
    table: pd.DataFrame,
    images_NHW: UInt8Array,
    predictions: pd.DataFrame,
    parameters: EvaluationParameters,
) -> Figure:
    """Draw the mistakes that the network was surest of."""
    rows = pd.Index(table["sample_id"]).get_indexer(predictions["sample_id"])
    return plot_worst_mistakes(images_NHW[rows], predictions, count=parameters.mistakes)


def explain_mistakes(
    model: TrainedModel,
    table: pd.DataFrame,
    images_NHW: UInt8Array,
    predictions: pd.DataFrame,
    parameters: EvaluationParameters,
) -> Figure:
    """Draw what the worst mistakes rest on: why each was read as what it is not."""
    mistakes = predictions.iloc[rank_mistakes(predictions)[: parameters.explained_mistakes]]
    rows = pd.Index(table["sample_id"]).get_indexer(mistakes["sample_id"])
    maps = explain_labels(
        model, images_NHW[rows], page_features(table.iloc[rows]), list(mistakes["predicted_label"])
    )
    return plot_explained_mistakes(images_NHW[rows], mistakes, maps)


def write_card(
    template: str,
    model: TrainedModel,
    results: dict[str, Any],
    robustness: pd.DataFrame,
    conditions: pd.DataFrame,
    manifest: dict[str, Any],
) -> str:
    """Write the model card from everything that was measured."""
    terms = {**parse_manifest(manifest), **EMBEDDED_TERMS}
    trained_on = {name: terms[name] for name in model.spec.corpora if name in terms}
    details = describe_model(model)
    return write_model_card(template, details, results, robustness, conditions, trained_on)
