"""The stage `tuning` on small data: real trainings, a study of its own."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from stage_runs import Data, run_stage, small_data, small_parameters

from bukva.errors import ParameterError
from bukva.pipelines.tuning import pipeline as tuning
from bukva.pipelines.tuning.nodes import TrialTraining, prepare_training
from bukva.tasks.glyph.parameters import TrainingParameters, TuningParameters
from bukva.tasks.glyph.training import new_model

CORPORA = {"strokes": 1.0, "digits": 0.0, "nonsymbols": 0.0}
SPACE = {"learning_rate": {"low": 0.001, "high": 0.03, "log": True}}


def stage_inputs(folder: Path, **changes: object) -> Data:
    inputs = {
        **small_data(),
        **small_parameters(
            finetuning={"corpora": CORPORA, "device": "cpu"},
            tuning={"valid_corpora": CORPORA, "epochs": 1, **changes},
        ),
    }
    inputs["mnist_pretraining.model"] = new_model(inputs["params:mnist_pretraining"], None)
    inputs["tuning.studies"] = f"sqlite:///{folder}/studies.db"
    inputs["tuning.trial_runs"] = None
    return inputs


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Data:
    return stage_inputs(tmp_path_factory.mktemp("tuning"))


@pytest.fixture(scope="module")
def tuned(inputs: Data) -> Data:
    return run_stage(tuning.create_pipeline(), inputs)


def test_the_search_tries_what_it_was_told(tuned: Data, inputs: Data) -> None:
    trials = tuned["tuning.trials"]
    space = inputs["params:tuning"].space
    assert len(trials) == 3
    assert trials["state"].isin(["complete", "pruned"]).all()
    for name, item in space.items():
        assert trials[name].between(item.low, item.high).all()
        assert trials[name].nunique() == 3


def test_the_best_parameters_say_where_they_come_from(tuned: Data) -> None:
    trials, best = tuned["tuning.trials"], tuned["tuning.best_parameters"]["tuned"]
    complete = trials[trials["state"].eq("complete")].set_index("number")["value"]
    assert best["study"] == "test"
    assert (best["trial"], best["valid_loss"]) == (complete.idxmin(), complete.min())
    assert best["trials"] == 3
    assert best["finetuning"].keys() == {"learning_rate", "weight_decay", "dropout"}


@pytest.mark.parametrize("name", ["progress", "importances", "parallel"])
def test_figures_are_drawn(tuned: Data, name: str) -> None:
    assert isinstance(tuned[f"tuning.{name}"], Figure)


def test_a_finished_study_is_not_searched_again(tuned: Data, inputs: Data) -> None:
    again = run_stage(tuning.create_pipeline(), inputs)
    assert again["tuning.trials"].equals(tuned["tuning.trials"])


@pytest.fixture(scope="module")
def training(inputs: Data) -> TrialTraining:
    return prepare(inputs)


def prepare(inputs: Data, **changes: object) -> TrialTraining:
    base: TrainingParameters = inputs["params:finetuning"]
    parameters: TuningParameters = inputs["params:tuning"]
    return prepare_training(
        inputs["sample_table"],
        inputs["sample_images"],
        inputs["mnist_pretraining.model"],
        base,
        TuningParameters.model_validate(parameters.model_dump() | changes),
    )


def test_no_trial_sees_a_test_sample(training: TrialTraining, inputs: Data) -> None:
    table, images_NHW = inputs["sample_table"], inputs["sample_images"]
    assert set(training.table["split"]) == {"train"}
    is_valid_N = (table["split"].eq("valid") & table["corpus"].eq("strokes")).to_numpy()
    np.testing.assert_array_equal(training.valid.images_NHW, images_NHW[is_valid_N])
    assert len(training.images_NHW) == table["split"].eq("train").sum()


def test_every_trial_is_measured_with_the_same_weights(inputs: Data) -> None:
    base = inputs["params:finetuning"]
    heavier = base.model_copy(update={"corpora": {"strokes": 9.0}, "class_balance": 0.0})
    weights_N = prepare(inputs).valid.weights_N
    np.testing.assert_array_equal(
        prepare(inputs | {"params:finetuning": heavier}).valid.weights_N, weights_N
    )
    doubled_N = prepare(inputs, valid_corpora={"strokes": 2.0}).valid.weights_N
    np.testing.assert_allclose(doubled_N, 2 * weights_N)


def test_the_digest_sees_samples_weights_and_backbone(inputs: Data) -> None:
    digest = prepare(inputs).digest()
    assert prepare(inputs).digest() == digest
    images_NHW = inputs["sample_images"].copy()
    images_NHW[inputs["sample_table"]["split"].eq("train").to_numpy().argmax(), 0, 0] ^= 1
    table = inputs["sample_table"].assign(rel_height=0.5)
    parameters = inputs["params:mnist_pretraining"].model_copy(update={"seed": 9})
    others = (
        inputs | {"sample_images": images_NHW},
        inputs | {"sample_table": table},
        inputs | {"mnist_pretraining.model": new_model(parameters, None)},
    )
    assert digest not in {prepare(other).digest() for other in others}
    assert prepare(inputs, valid_corpora={"strokes": 2.0}).digest() != digest


def test_corpora_that_are_not_there_are_named_before_any_trial(inputs: Data) -> None:
    space = {"corpora.nowhere": {"low": 0.1, "high": 0.5}}
    with pytest.raises(ParameterError, match=r"got \['elsewhere', 'nowhere'\]"):
        prepare(inputs, space=space, valid_corpora={"strokes": 1.0, "elsewhere": 1.0})
