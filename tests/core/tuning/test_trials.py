"""The table of trials, also after a CSV file, and what is read from it."""

import io

import optuna
import pandas as pd
import pytest

from bukva.core.tuning.parameters import SearchedParameter
from bukva.core.tuning.trials import (
    measure_importances,
    nest_values,
    suggest_values,
    tabulate_trials,
)

SPACE = {
    name: SearchedParameter.model_validate(item)
    for name, item in {
        "learning_rate": {"low": 0.001, "high": 0.1, "log": True},
        "augmentation.slant": {"low": 0.0, "high": 1.0},
        "batch_size": {"low": 16, "high": 64, "step": 16},
        "schedule": {"choices": ["one_cycle", "plateau"]},
        "width": {"choices": [8, 16]},
    }.items()
}


@pytest.fixture(scope="module")
def trials() -> pd.DataFrame:
    """Thirty trials in which nothing but the slant matters, as they are read from a file."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    study.optimize(
        lambda trial: float(suggest_values(trial, SPACE)["augmentation.slant"]), n_trials=30
    )
    # A trial that waits has no values yet, which makes floats of whole numbers.
    study.enqueue_trial({})
    table = tabulate_trials(study.get_trials(), SPACE)
    return pd.read_csv(io.StringIO(table.to_csv(index=False)))


def test_the_table_has_a_row_for_each_trial(trials):
    assert trials["number"].to_list() == list(range(31))
    assert trials["state"].value_counts().to_dict() == {"complete": 30, "waiting": 1}
    assert trials["seconds"].iloc[:30].notna().all()


def test_what_matters_is_found(trials):
    shares = measure_importances(trials, SPACE)
    assert shares.index[0] == "augmentation.slant"
    assert shares.iloc[0] > 0.8
    assert shares.sum() == pytest.approx(1.0)
    assert set(shares.index) == set(SPACE)


def test_few_or_equal_trials_say_nothing_about_what_matters(trials):
    assert measure_importances(trials.head(3), SPACE).empty
    assert measure_importances(trials.assign(value=0.5), SPACE).empty
    assert measure_importances(trials.assign(state="pruned"), SPACE).empty


def test_values_are_written_as_conf_spells_them(trials):
    row = trials.iloc[3]
    nested = nest_values(row, SPACE)
    assert nested["augmentation"]["slant"] == pytest.approx(row["augmentation.slant"], rel=1e-3)
    assert nested["schedule"] == row["schedule"]
    assert type(nested["batch_size"]) is type(nested["width"]) is int
    assert nested.keys() == {"learning_rate", "augmentation", "batch_size", "schedule", "width"}
