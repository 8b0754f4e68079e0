"""Nodes of `benchmark`.

Shapes: N samples, H x W pixels.
"""

from typing import Any

import pandas as pd

from bukva.core.arrays import UInt8Array
from bukva.core.task import Scores
from bukva.tasks.glyph.parameters import EvaluationParameters, TrainingParameters
from bukva.tasks.glyph.recogniser import Recogniser
from bukva.tasks.glyph.trained import TrainedModel
from targets.kept import KeptTables
from targets.pages import answer_pages, choose_samples, time_pages
from targets.parameters import BenchmarkParameters
from targets.plans import plan_folds, plan_left_out, plan_seeds
from targets.repeated import score_out_of_fold, score_seeds, score_share
from targets.table import judge_targets, parse_targets
from targets.trials import run_trials


def cross_validate(
    base: TrainedModel,
    table: pd.DataFrame,
    images_NHW: UInt8Array,
    finetuning: TrainingParameters,
    evaluation: EvaluationParameters,
    parameters: BenchmarkParameters,
    kept: KeptTables,
) -> pd.DataFrame:
    """Return what is answered for each sample of a corpus by models that did not learn from it."""
    trials = plan_folds(base, table, images_NHW, finetuning, parameters)
    return run_trials(trials, table, images_NHW, evaluation, kept)


def leave_one_out(
    base: TrainedModel,
    pretrained: TrainedModel,
    table: pd.DataFrame,
    images_NHW: UInt8Array,
    finetuning: TrainingParameters,
    evaluation: EvaluationParameters,
    parameters: BenchmarkParameters,
    kept: KeptTables,
) -> pd.DataFrame:
    """Return what is answered for each corpus by a model that learnt from the others."""
    trials = plan_left_out(base, pretrained, table, finetuning, parameters)
    return run_trials(trials, table, images_NHW, evaluation, kept)


def repeat_pretraining(
    table: pd.DataFrame,
    images_NHW: UInt8Array,
    pretraining: TrainingParameters,
    evaluation: EvaluationParameters,
    parameters: BenchmarkParameters,
    kept: KeptTables,
) -> pd.DataFrame:
    """Return what digit networks of several seeds answer for the test digits."""
    trials = plan_seeds(table, pretraining, parameters)
    return run_trials(trials, table, images_NHW, evaluation, kept)


def score_folds(predictions: pd.DataFrame) -> Scores:
    """Score the cross-validation."""
    return score_out_of_fold(predictions, "cross_validation")


def score_left_out(predictions: pd.DataFrame) -> Scores:
    """Score each corpus that was left out."""
    return score_out_of_fold(predictions, "leave_one_corpus_out")


def score_pretraining(predictions: pd.DataFrame) -> Scores:
    """Score the digit networks of several seeds."""
    return score_seeds(predictions, "mnist_seeds")


def ask_with_pages(
    recogniser: Recogniser,
    table: pd.DataFrame,
    images_NHW: UInt8Array,
    pretraining: TrainingParameters,
    parameters: BenchmarkParameters,
) -> pd.DataFrame:
    """Return what is answered for test digits that are drawn large."""
    samples = choose_samples(
        table, pretraining.learnt_corpora, parameters.page_digits, parameters.seed
    )
    return answer_pages(recogniser, samples, images_NHW, parameters.seed)


def score_pages(answers: pd.DataFrame) -> Scores:
    """Score the digits that were drawn large; an answer that is a letter, or none, is wrong."""
    return score_share("page_digits.label_accuracy", answers["answer"].eq(answers["label"]))


def time_recogniser(
    recogniser: Recogniser,
    table: pd.DataFrame,
    images_NHW: UInt8Array,
    pretraining: TrainingParameters,
    parameters: BenchmarkParameters,
) -> pd.DataFrame:
    """Return the milliseconds that single images take."""
    samples = choose_samples(
        table, pretraining.learnt_corpora, parameters.latency_images, parameters.seed
    )
    return time_pages(recogniser, samples, images_NHW, parameters.seed)


def summarise_times(times: pd.DataFrame) -> Scores:
    """Return percentiles of the milliseconds: `latency.recognise_ms.p50` and so on."""
    return {
        f"latency.{name}.p{percent}": round(float(times[name].quantile(percent / 100)), 3)
        for name in times.columns
        for percent in (50, 90, 99)
    }


def measure_size(model: TrainedModel, recogniser: Recogniser) -> Scores:
    """Return the number of parameters, and the bytes of the ONNX file."""
    parameters = model.to_network().parameters()
    return {
        "size.parameters": sum(weights.numel() for weights in parameters),
        "size.onnx_bytes": len(recogniser.onnx_model),
    }


def judge(targets: list[dict[str, Any]], measurements: dict[str, Any]) -> list[dict[str, Any]]:
    """Put what was measured beside what was aimed at."""
    return judge_targets(parse_targets(targets), measurements)
