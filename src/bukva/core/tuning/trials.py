"""The values that trials try, and the trials of a study as a table.

| column | |
|---|---|
| `number` | int, in the order of beginning |
| `state` | `complete`, `pruned`, `fail` (its worker was killed or stopped), `running`, `waiting` |
| `value` | float, the measure; of a pruned trial, at its last epoch; missing without one |
| `epochs` | int, how many were trained |
| `seconds` | float, missing while it runs |
| `retry_of` | number of the trial that was killed, missing for most |
| `error` | str, why its loss was no number; missing for most |
| one for each searched parameter | by its dotted name |
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import optuna
import pandas as pd
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.storages import RetryHeartbeatStaleTrialCallback
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from bukva.core.parameters import flatten, nest
from bukva.core.training.parameters import FitParameters
from bukva.core.tuning.parameters import SearchedParameter, TuningParameters, Value
from bukva.errors import TuningError

COLUMNS: Final = ("number", "state", "value", "epochs", "seconds", "retry_of", "error")

# Fewer say nothing about what matters.
_FEWEST_FOR_IMPORTANCE: Final = 4

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
    values: dict[str, Value] = {}
    for name, item in space.items():
        low, high, step, log = item.low, item.high, item.step, item.log
        if item.choices is not None:
            values[name] = trial.suggest_categorical(name, item.choices)  # type: ignore[assignment]
        elif item.is_whole:
            values[name] = trial.suggest_int(name, low, high, step=step or 1, log=log)  # type: ignore[arg-type]
        else:
            values[name] = trial.suggest_float(name, low, high, step=step, log=log)  # type: ignore[arg-type]
    return values


def apply_values(parameters: FitParameters, values: Mapping[str, Any]) -> FitParameters:
    """Return the parameters with some of them changed.

    Args:
        parameters: Left as they are.
        values: By dotted name: `{"augmentation.slant": 0.3}`.

    Raises:
        ValidationError: If a name is unknown or a value out of its range.
    """
    return type(parameters).model_validate(nest(flatten(parameters.model_dump()) | dict(values)))


def read_values(parameters: FitParameters, space: Space) -> dict[str, Value]:
    """Return what the searched parameters are now; a corpus without a weight is left out."""
    flat = flatten(parameters.model_dump())
    return {name: flat[name] for name in space if flat.get(name) is not None}


def tabulate_trials(trials: Sequence[FrozenTrial], space: Space) -> pd.DataFrame:
    """Return one row a trial, by number."""
    rows = [_describe(trial) for trial in trials]
    return pd.DataFrame(rows, columns=[*COLUMNS, *space])


def _describe(trial: FrozenTrial) -> dict[str, Any]:
    history = RetryHeartbeatStaleTrialCallback.retry_history(trial)
    return {
        "number": trial.number,
        "state": trial.state.name.lower(),
        "value": trial.value,
        "epochs": len(trial.intermediate_values),
        "seconds": trial.duration.total_seconds() if trial.duration else None,
        "retry_of": history[-1] if history else None,
        "error": trial.user_attrs.get("error"),
        **trial.params,
    }


def completed(trials: pd.DataFrame) -> pd.DataFrame:
    """Return the trials that were trained to their end."""
    return trials[trials["state"].eq("complete")]


def choose_best(trials: pd.DataFrame, parameters: TuningParameters) -> pd.Series:
    """Return the row of the best trial that was trained to its end.

    Raises:
        TuningError: If none was.
    """
    finished = completed(trials)
    if finished.empty:
        message = (
            f"Expected a finished trial in study {parameters.study!r}, got none of {len(trials)}: "
            "give tuning.timeout_s more time, or the same command once more."
        )
        raise TuningError(message)
    value = finished["value"]
    return finished.iloc[int(value.argmax() if parameters.is_maximised else value.argmin())]


def measure_importances(trials: pd.DataFrame, space: Space) -> pd.Series:
    """Return how much of the measure's variance each parameter explains, the largest first.

    By functional analysis of variance over a random forest (Hutter, Hoos, Leyton-Brown 2014), of
    the trials that were trained to their end.

    Returns:
        Shares that add up to 1, by dotted name; empty where there are too few trials, or all came
        out alike.
    """
    from optuna.importance import FanovaImportanceEvaluator, get_param_importances

    finished = completed(trials)
    if len(finished) < _FEWEST_FOR_IMPORTANCE or finished["value"].nunique() < 2:
        return pd.Series(dtype="float64")
    study = optuna.create_study()
    distributions = {name: to_distribution(item) for name, item in space.items()}
    for row in finished.to_dict("records"):
        study.add_trial(
            create_trial(
                state=TrialState.COMPLETE,
                value=row["value"],
                params={name: _to_plain(row[name], item) for name, item in space.items()},
                distributions=distributions,
            )
        )
    shares = get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=0))
    return pd.Series(shares, dtype="float64")


def nest_values(row: pd.Series, space: Space) -> dict[str, Any]:
    """Return a trial's values as conf spells them: `{"augmentation": {"slant": 0.3}}`."""
    plain = {name: _to_plain(row[name], item) for name, item in space.items()}
    # Four digits are more than a search can tell apart.
    return nest(
        {
            name: float(f"{value:.4g}") if isinstance(value, float) else value
            for name, value in plain.items()
        }
    )


def _to_plain(value: Any, item: SearchedParameter) -> Value:
    """Return a value of the table as it was drawn: CSV files and pandas make numbers floats."""
    if item.choices is not None:
        return next(one for one in item.choices if one == value or str(one) == str(value))
    return int(value) if item.is_whole else float(value)
