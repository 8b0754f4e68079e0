"""Trainings whose predictions are kept: cross-validation, corpora left out, other seeds.

Shapes: N samples, H x W pixels.
"""

import hashlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bukva.core.arrays import UInt8Array
from bukva.core.training.checkpoint import CheckpointStore
from bukva.pipelines.templates.evaluation import predict_test_split
from bukva.tasks.glyph.evaluation.predictions import COLUMNS
from bukva.tasks.glyph.parameters import EvaluationParameters, TrainingParameters
from bukva.tasks.glyph.trained import TrainedModel
from bukva.tasks.glyph.training import continue_training
from targets.kept import KeptTables

logger = logging.getLogger(__name__)

_COLUMNS = [*COLUMNS, "trial", "scope"]

UNUSED = "unused"
"""The split of a sample that takes no part in a trial."""


@dataclass(frozen=True)
class Trial:
    """One training and what it is tested on.

    Attributes:
        name: Unique among the trials of one part.
        scope: What is scored together: folds, repeats.
        start: The model that is trained further, heads and all.
        parameters: Of the training; None to test the model as it is.
        split: Of each sample of the table: `train`, `valid`, `test` or `UNUSED`.
    """

    name: str
    scope: str
    start: TrainedModel
    parameters: TrainingParameters | None
    split: pd.Series

    def digest(self) -> str:
        """Return a sha256 over everything but the samples that decides the predictions."""
        parameters = self.parameters
        parts = (
            self.start.digest(),
            parameters.recipe() if parameters else "",
            *self.split,
        )
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def run_trials(
    trials: Iterable[Trial],
    table: pd.DataFrame,
    images_NHW: UInt8Array,
    evaluation: EvaluationParameters,
    kept: KeptTables,
) -> pd.DataFrame:
    """Return the prediction tables of all trials in one, with the columns `trial` and `scope`.

    What an earlier run computed for the same trials and samples is taken from `kept`.
    """
    samples = _digest_samples(table, images_NHW)

    def run(trial: Trial) -> pd.DataFrame:
        def compute(checkpoints: CheckpointStore) -> pd.DataFrame:
            logger.info("%s: predicts %d samples", trial.name, trial.split.eq("test").sum())
            model, trial_table = trial.start, table.assign(split=trial.split)
            if trial.parameters:
                model, _ = continue_training(
                    model, trial_table, images_NHW, trial.parameters, checkpoints
                )
            return predict_test_split(model, trial_table, images_NHW, evaluation)

        key = hashlib.sha256((samples + trial.digest()).encode()).hexdigest()[:12]
        predictions = kept.recall(f"{trial.name}-{key}", compute)
        return predictions.assign(trial=trial.name, scope=trial.scope)

    parts = [run(trial) for trial in trials]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=_COLUMNS)


def _digest_samples(table: pd.DataFrame, images_NHW: UInt8Array) -> str:
    described = table.drop(columns=["split", "name", "group"])
    digest = hashlib.sha256(pd.util.hash_pandas_object(described, index=False).to_numpy().tobytes())
    digest.update(np.ascontiguousarray(images_NHW).data)
    return digest.hexdigest()
