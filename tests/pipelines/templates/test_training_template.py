"""The graph of a training stage: what it makes, and that a backbone is carried over."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from kedro.pipeline import Pipeline
from matplotlib.figure import Figure
from stage_runs import Data, run_stage, small_data, small_parameters
from training_runs import MemoryStore

from bukva.cli.released.manifest import RELEASED, WEIGHTS
from bukva.datasets.models import TrainedModelDataset
from bukva.pipeline_registry import register_pipelines
from bukva.pipelines.templates.training import training_pipeline
from bukva.tasks.glyph import charset
from bukva.tasks.glyph.preprocessing import Preprocessing
from bukva.tasks.glyph.trained import TrainedModel
from bukva.tasks.glyph.training import train_model

PIPELINES = register_pipelines()

# So small a step that the weights stay where the stage found them.
STANDING_STILL = {"learning_rate": 1e-12, "weight_decay": 0.0, "ema_decay": 0.0}
TINY = {"max_epochs": 1, "steps_per_epoch": 2, "batch_size": 16, "device": "cpu"}


def stage_inputs(stage: str, **changes: object) -> Data:
    # The corpora of the environment stay named: no sample is of the other one.
    parameters = {**TINY, "corpora": {"strokes": 1.0, "digits": 0.0}, **changes}
    return {
        **small_data(),
        **small_parameters(**{stage: parameters}),
        f"{stage}.checkpoints": MemoryStore(),
        f"{stage}.epoch_metrics": None,
    }


@pytest.fixture(scope="module")
def pretrained() -> Data:
    inputs = stage_inputs("mnist_pretraining", learning_rate=0.05, ema_decay=0.0, seed=7)
    return run_stage(PIPELINES["mnist_pretraining"], inputs)


def starts(pretrained: Data) -> Data:
    """What `finetuning` may start from."""
    released = TrainedModelDataset(filepath=str(RELEASED / WEIGHTS)).load()
    return {
        "mnist_pretraining.model": pretrained["mnist_pretraining.model"],
        "released_model": released,
    }


def conv_weights(model: TrainedModel) -> dict[str, np.ndarray]:
    """Weights of the backbone that training moves; running statistics are no such weights."""
    return {
        name: value
        for name, value in model.weights.items()
        if name.startswith("backbone.") and value.ndim == 4
    }


def test_a_stage_makes_a_model_and_its_history(pretrained: Data) -> None:
    model, history = pretrained["mnist_pretraining.model"], pretrained["mnist_pretraining.history"]
    assert model.spec.labels == charset.DIGITS
    assert len(model.spec.data_fingerprint) == 64
    assert list(history["epoch"]) == [1]
    assert isinstance(pretrained["mnist_pretraining.learning_curves"], Figure)


def test_each_epoch_is_shown_when_it_is_over() -> None:
    rows: list[dict[str, object]] = []
    inputs = stage_inputs("mnist_pretraining", max_epochs=2)
    made = run_stage(
        PIPELINES["mnist_pretraining"],
        inputs | {"mnist_pretraining.epoch_metrics": rows.append},
    )
    pd.testing.assert_frame_equal(pd.DataFrame(rows), made["mnist_pretraining.history"])


def test_pretraining_changes_where_finetuning_starts(pretrained: Data) -> None:
    backbone = conv_weights(pretrained["mnist_pretraining.model"])
    inputs = stage_inputs("finetuning", **STANDING_STILL)
    continued = run_stage(
        PIPELINES["finetuning"],
        inputs | starts(pretrained),
    )["finetuning.model"]
    alone = run_stage(training_pipeline("finetuning", train_model), inputs)["finetuning.model"]
    assert continued.spec.labels == charset.CLASSES
    # It knows what both were trained with.
    assert continued.spec.parameters["mnist_pretraining"]["seed"] == 7
    assert continued.spec.parameters["finetuning"]["alphabet"] == "all"
    assert len(backbone) > 3
    for name, value in backbone.items():
        np.testing.assert_allclose(conv_weights(continued)[name], value, atol=1e-9)
    assert any(
        np.abs(conv_weights(alone)[name] - value).max() > 0.01 for name, value in backbone.items()
    )


def test_finetuning_goes_on_from_the_released_model(pretrained: Data) -> None:
    inputs = stage_inputs("finetuning", start="released", **STANDING_STILL) | starts(pretrained)
    made = run_stage(PIPELINES["finetuning"], inputs)["finetuning.model"]
    released = inputs["released_model"]
    assert (made.spec.network, made.spec.sizes) == (released.spec.network, released.spec.sizes)
    for name, value in conv_weights(released).items():
        np.testing.assert_allclose(conv_weights(made)[name], value, atol=1e-9)
    # What that one had learnt from, it still knows; and it reads what is framed today.
    assert set(made.spec.corpora) == {*released.spec.corpora, "strokes", "nonsymbols"}
    assert made.spec.preprocessing == Preprocessing().to_dict()


def test_a_model_says_what_it_was_trained_on(pretrained: Data) -> None:
    digits = pretrained["mnist_pretraining.model"]
    assert digits.spec.corpora == ("strokes",)
    # What the stage before saw counts; a corpus of which every sample is a test does not.
    before = replace(digits, spec=digits.spec.model_copy(update={"corpora": ("mnist",)}))
    table = pd.concat([small_data()["sample_table"], unseen_sample()], ignore_index=True)
    inputs = stage_inputs("finetuning", corpora={"strokes": 0.7, "rukopys": 0.3, "digits": 0.0})
    inputs["sample_table"] = table
    inputs["sample_images"] = np.pad(small_data()["sample_images"], [(0, 1), (0, 0), (0, 0)])
    made = run_stage(
        PIPELINES["finetuning"], inputs | starts(pretrained) | {"mnist_pretraining.model": before}
    )
    assert made["finetuning.model"].spec.corpora == ("mnist", "nonsymbols", "strokes")
    # Nor does it take a share of a batch, whatever weight it was given.
    corpora = made["finetuning.model"].spec.parameters["finetuning"]["corpora"]
    assert corpora.keys() == {"nonsymbols", "strokes"}
    assert sum(corpora.values()) == pytest.approx(1, abs=1e-3)


def unseen_sample() -> pd.DataFrame:
    return (
        small_data()["sample_table"]
        .tail(1)
        .assign(sample_id="rukopys/1", corpus="rukopys", split="test")
    )


def test_a_namespace_goes_before_every_name() -> None:
    line = Pipeline(
        training_pipeline("finetuning", train_model),
        namespace="line",
        inputs={"sample_table", "sample_images"},
    )
    assert line.outputs() >= {"line.finetuning.model", "line.finetuning.learning_curves"}
    assert "params:line.finetuning" in line.inputs()
