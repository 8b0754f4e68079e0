"""Nodes of `benchmark`.

Shapes: N samples, H x W pixels.
"""

import pandas as pd

from bukva.data.samples import UInt8Array
from bukva.datasets.kept import KeptTables
from bukva.evaluation.metrics import Scores
from bukva.evaluation.repeated import score_out_of_fold, score_seeds
from bukva.models.trained import TrainedModel
from bukva.parameters import BenchmarkParameters, EvaluationParameters, TrainingParameters
from bukva.pipeline_templates.trials import run_trials
from bukva.pipelines.benchmark.plans import plan_folds, plan_left_out, plan_seeds


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
