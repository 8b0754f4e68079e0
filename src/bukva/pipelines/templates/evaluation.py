"""Measuring a model on the test split: the graph of every evaluation.

Shapes: N samples, H x W pixels.
"""

import pandas as pd
from kedro.pipeline import Node, Pipeline

from bukva.core.arrays import UInt8Array
from bukva.core.training.device import resolve_device
from bukva.core.training.threads import cores_left_by_others
from bukva.tasks.glyph.answer import sigmoid, softmax
from bukva.tasks.glyph.evaluation.metrics import score
from bukva.tasks.glyph.evaluation.predictions import make_prediction_table
from bukva.tasks.glyph.parameters import EvaluationParameters
from bukva.tasks.glyph.table import is_symbol, page_features
from bukva.tasks.glyph.trained import TrainedModel, predict_logits


def evaluation_pipeline(namespace: str, model: str) -> Pipeline:
    """Return the pipeline that predicts the test split and scores the predictions.

    Args:
        namespace: Before `predictions` and `scores`.
        model: Dataset with the trained model.

    Returns:
        A pipeline from the model, `sample_table` and `sample_images`.
    """
    return Pipeline(
        [
            Node(
                predict_test_split,
                inputs=["model", "sample_table", "sample_images", "params:parameters"],
                outputs="predictions",
                name="predict_test_split",
            ),
            Node(score, inputs="predictions", outputs="scores", name="score_predictions"),
        ],
        namespace=namespace,
        inputs={"model": model, "sample_table": "sample_table", "sample_images": "sample_images"},
        parameters={"params:parameters": "params:evaluation"},
    )


def predict_test_split(
    model: TrainedModel,
    table: pd.DataFrame,
    images_NHW: UInt8Array,
    parameters: EvaluationParameters,
) -> pd.DataFrame:
    """Return the prediction table over the test samples of symbols that the model knows."""
    is_known = table["label"].isin(list(model.spec.labels)) & is_symbol(table)
    return predict_samples(
        model, table, images_NHW, table["split"].eq("test") & is_known, parameters
    )


def predict_samples(
    model: TrainedModel,
    table: pd.DataFrame,
    images_NHW: UInt8Array,
    is_chosen: pd.Series,
    parameters: EvaluationParameters,
) -> pd.DataFrame:
    """Return the prediction table over the chosen samples."""
    chosen = table[is_chosen]
    with cores_left_by_others() as choose_threads:
        choose_threads()
        logits = predict_logits(
            model.to_network(),
            images_NHW[is_chosen.to_numpy()],
            page_features(chosen),
            batch_size=parameters.batch_size,
            device=resolve_device(parameters.device),
        )
    return make_prediction_table(
        chosen, softmax(logits.label_NK), sigmoid(logits.case_N), model.spec.labels
    )
