"""Nodes of `tuning`.

Shapes: N samples, H x W pixels.
"""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from bukva.core.arrays import UInt8Array
from bukva.core.evaluation.figures.tuning import plot_importances, plot_parallel, plot_trials
from bukva.core.tuning.search import Search
from bukva.core.tuning.trials import choose_best, measure_importances, nest_values, tabulate_trials
from bukva.core.tuning.work import run_workers
from bukva.pipelines.tuning.trial import prepare_training
from bukva.registry.runs import TrialRuns
from bukva.tasks.glyph.parameters import TrainingParameters, TuningParameters
from bukva.tasks.glyph.trained import TrainedModel


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
