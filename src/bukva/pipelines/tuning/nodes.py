"""Nodes of `tuning`, and one training of a search: what a trial sees of the samples.

Shapes: N samples, H x W pixels.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from bukva.core.arrays import UInt8Array
from bukva.core.evaluation.figures.tuning import plot_importances, plot_parallel, plot_trials
from bukva.core.training.fit import OnEpoch, fit
from bukva.core.tuning.search import Search
from bukva.core.tuning.trials import choose_best, measure_importances, nest_values, tabulate_trials
from bukva.core.tuning.work import run_workers
from bukva.registry.runs import TrialRuns
from bukva.tasks.glyph import charset
from bukva.tasks.glyph.learner import GlyphLearner
from bukva.tasks.glyph.parameters import TrainingParameters, TuningParameters
from bukva.tasks.glyph.trained import TrainedModel
from bukva.tasks.glyph.training import new_model, select_split
from bukva.tasks.glyph.training_samples import GlyphSamples, check_corpora


@dataclass(frozen=True)
class TrialTraining:
    """Trains as `finetuning` does, and is measured on the same samples and weights every time.

    Attributes:
        table: The rows of the sample table that may be trained on.
        images_NHW: Their images.
        valid: What every trial is measured on.
        pretrained: The model whose backbone each trial starts from.
    """

    table: pd.DataFrame
    images_NHW: UInt8Array
    valid: GlyphSamples
    pretrained: TrainedModel

    def __call__(self, parameters: TrainingParameters, on_epoch: OnEpoch) -> pd.DataFrame:
        """Train once and return the history."""
        start = new_model(parameters, self.pretrained)
        train = select_split(self.table, self.images_NHW, "train", parameters, start.spec.labels)
        learner = GlyphLearner(train, self.valid, parameters)
        return fit(start.to_network(), learner, parameters, on_epoch=on_epoch).history

    def digest(self) -> str:
        """Return a sha256 over everything that is held."""
        digest = hashlib.sha256(pd.util.hash_pandas_object(self.table).to_numpy().tobytes())
        digest.update(self.images_NHW.tobytes())
        digest.update((self.valid.digest() + self.pretrained.digest()).encode())
        return digest.hexdigest()


def prepare_training(
    table: pd.DataFrame,
    images_NHW: UInt8Array,
    pretrained: TrainedModel,
    base: TrainingParameters,
    parameters: TuningParameters,
) -> TrialTraining:
    """Take what trials may see out of the sample table: no test sample is among it.

    Raises:
        ParameterError: If a corpus is named that the table does not have.
    """
    searched = [name.removeprefix("corpora.") for name in parameters.space if "corpora." in name]
    weights = base.corpora | parameters.valid_corpora
    check_corpora(table, [*searched, *(name for name, weight in weights.items() if weight)])
    measured = base.model_copy(
        update={
            "corpora": parameters.valid_corpora,
            "class_balance": parameters.valid_class_balance,
        }
    )
    is_train_N = table["split"].eq("train").to_numpy()
    return TrialTraining(
        table=table[is_train_N],
        images_NHW=images_NHW[is_train_N],
        valid=select_split(table, images_NHW, "valid", measured, charset.LABELS),
        pretrained=pretrained,
    )


def run_search(
    table: pd.DataFrame,
    images_NHW: UInt8Array,
    pretrained: TrainedModel,
    base: TrainingParameters,
    parameters: TuningParameters,
    studies: str,
    trial_runs: TrialRuns | None,
) -> pd.DataFrame:
    """Go on with the study until it is over, and return its trials."""
    train = prepare_training(table, images_NHW, pretrained, base, parameters)
    search = Search(studies, parameters, base, train, train.digest(), trial_runs)
    run_workers(search)
    return tabulate_trials(search.open().trials(), parameters.space)


def choose_parameters(trials: pd.DataFrame, parameters: TuningParameters) -> dict[str, Any]:
    """Return the best values in the form that conf reads, and where they come from."""
    best = choose_best(trials, parameters)
    return {
        "tuned": {
            "study": parameters.study,
            "trial": int(best["number"]),
            "trials": len(trials),
            parameters.measure: float(best["value"]),
            "finetuning": nest_values(best, parameters.space),
        }
    }


def draw_trials(trials: pd.DataFrame, parameters: TuningParameters) -> Figure:
    """Draw the value of each trial, and the best so far."""
    return plot_trials(trials, parameters.measure, is_maximised=parameters.is_maximised)


def draw_importances(trials: pd.DataFrame, parameters: TuningParameters) -> Figure:
    """Draw what each parameter explains."""
    shares = measure_importances(trials, parameters.space)
    return plot_importances(shares, parameters.measure)


def draw_parallel(trials: pd.DataFrame, parameters: TuningParameters) -> Figure:
    """Draw each finished trial as a line through the axes of its parameters."""
    logarithmic = {name for name, item in parameters.space.items() if item.log}
    return plot_parallel(
        trials,
        list(parameters.space),
        parameters.measure,
        logarithmic=logarithmic,
        is_maximised=parameters.is_maximised,
    )
