"""From a trial of the study to the parameters of a training, by dotted names."""

from collections.abc import Mapping
from functools import reduce
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import Trial

from bukva.parameters import SearchedParameter, TrainingParameters
from bukva.parameters.tuning import Value

Space = Mapping[str, SearchedParameter]


def to_distribution(item: SearchedParameter) -> BaseDistribution:
    """Return what Optuna draws a parameter from."""
    if item.choices is not None:
        return CategoricalDistribution(item.choices)
    if item.is_whole:
        return IntDistribution(item.low, item.high, log=item.log, step=item.step or 1)  # type: ignore[arg-type]
    return FloatDistribution(item.low, item.high, log=item.log, step=item.step)  # type: ignore[arg-type]


def suggest_values(trial: Trial, space: Space) -> dict[str, Value]:
    """Draw a value of every searched parameter."""
    return {name: _suggest(trial, name, item) for name, item in space.items()}


def _suggest(trial: Trial, name: str, item: SearchedParameter) -> Value:
    drawn_from = to_distribution(item)
    match drawn_from:
        case CategoricalDistribution(choices=choices):
            value: Value = trial.suggest_categorical(name, choices)  # type: ignore[assignment]
            return value
        case IntDistribution(low=low, high=high, step=step, log=log):
            return trial.suggest_int(name, low, high, step=step, log=log)
        case FloatDistribution(low=low, high=high, step=step, log=log):
            return trial.suggest_float(name, low, high, step=step, log=log)
    raise TypeError(drawn_from)


def apply_values(parameters: TrainingParameters, values: Mapping[str, Any]) -> TrainingParameters:
    """Return the parameters with some of them changed.

    Args:
        parameters: Left as they are.
        values: By dotted name: `{"augmentation.slant": 0.3}`.

    Raises:
        ValidationError: If a name is unknown or a value out of its range.
    """
    document = parameters.model_dump()
    for name, value in values.items():
        *groups, field = name.split(".")
        reduce(lambda group, key: group[key], groups, document)[field] = value
    return TrainingParameters.model_validate(document)


def read_values(parameters: TrainingParameters, space: Space) -> dict[str, Value]:
    """Return what the searched parameters are now; a corpus without a weight is left out."""
    document = parameters.model_dump()
    found = {name: _look_up(document, name) for name in space}
    return {name: value for name, value in found.items() if value is not None}


def _look_up(document: Any, name: str) -> Any:
    for part in name.split("."):
        document = document.get(part) if isinstance(document, dict) else None
    return document
