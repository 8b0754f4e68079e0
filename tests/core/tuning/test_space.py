import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from pydantic import ValidationError

from bukva.core.tuning.parameters import SearchedParameter
from bukva.core.tuning.trials import apply_values, read_values, suggest_values, to_distribution
from bukva.tasks.glyph.parameters import TrainingParameters

BASE = TrainingParameters(corpora={"strokes": 0.8, "digits": 0.2})


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"low": 0.1, "high": 1.0, "log": True}, FloatDistribution(0.1, 1.0, log=True)),
        ({"low": 0.0, "high": 1.0, "step": 0.25}, FloatDistribution(0.0, 1.0, step=0.25)),
        ({"low": 0, "high": 1.0}, FloatDistribution(0.0, 1.0)),
        ({"low": 2, "high": 8, "step": 2}, IntDistribution(2, 8, step=2)),
        ({"choices": ["one_cycle", "plateau"]}, CategoricalDistribution(("one_cycle", "plateau"))),
    ],
)
def test_a_parameter_is_drawn_from_what_conf_says(item, expected):
    searched = SearchedParameter.model_validate(item)
    assert to_distribution(searched) == expected
    study = optuna.create_study()
    trial = study.ask()
    value = suggest_values(trial, {"name": searched})["name"]
    assert trial.distributions["name"] == expected
    assert expected._contains(expected.to_internal_repr(value))


def test_values_are_put_where_their_names_say():
    values = {"learning_rate": 0.5, "augmentation.slant": 0.75, "corpora.digits": 0.4}
    changed = apply_values(BASE, values)
    assert (changed.learning_rate, changed.augmentation.slant) == (0.5, 0.75)
    assert changed.corpora == {"strokes": 0.8, "digits": 0.4}
    assert changed.augmentation.rotation_deg == BASE.augmentation.rotation_deg
    assert apply_values(changed, read_values(BASE, values)) == BASE
    assert BASE.corpora["digits"] == 0.2


def test_a_value_out_of_range_is_refused():
    with pytest.raises(ValidationError, match="learning_rate"):
        apply_values(BASE, {"learning_rate": -1.0})


def test_a_corpus_that_has_no_weight_yet_is_not_read():
    assert read_values(BASE, {"corpora.comnist": None, "corpora.strokes": None}) == {
        "corpora.strokes": 0.8
    }
