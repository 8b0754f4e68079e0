"""From a trained model to what is packaged, and from that to answers."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from bukva import charset
from bukva.errors import ParityError
from bukva.inference.answers import MAP_COLUMNS
from bukva.inference.recogniser import Recogniser
from bukva.model_registry.packaging import LOG_MODEL_ARGUMENTS, SIGNATURE
from bukva.models.trained import TrainedModel
from bukva.pipelines import inference, packaging
from bukva.pipelines.packaging.nodes import verify
from stage_runs import Data, run_stage, small_data, small_parameters


@pytest.fixture(scope="module")
def packaged(random_model: TrainedModel) -> Data:
    inputs = small_data() | small_parameters() | {"finetuning.model": random_model}
    return run_stage(packaging.create_pipeline(inference.create_pipeline()), inputs)


def test_the_recogniser_was_verified_on_every_test_image(packaged: Data) -> None:
    parity = packaged["parity"]
    assert parity["images"] == small_data()["sample_table"]["split"].eq("test").sum()
    assert 0 < parity["max_label_difference"] <= 1e-4
    assert packaged["recogniser"] is packaged["exported_recogniser"]


def test_golden_samples_show_every_tested_symbol(packaged: Data) -> None:
    golden = packaged["golden_samples"]
    tests = small_data()["sample_table"].query("split == 'test' and corpus != 'nonsymbols'")
    assert len(golden) == len(tests[["label", "is_uppercase"]].drop_duplicates())
    assert golden["true_symbol"].is_unique
    assert set(golden["true_symbol"]) <= set(charset.SYMBOLS)


def test_another_model_than_the_recogniser_is_refused(
    make_model: Callable[..., TrainedModel], random_recogniser: Recogniser
) -> None:
    data, parameters = small_data(), small_parameters()["params:packaging"]
    with pytest.raises(ParityError, match=r"differ by at most 0\.0001"):
        verify(
            make_model(seed=2), random_recogniser, data["sample_table"], data["sample_images"],
            parameters,
        )  # fmt: skip


def test_inference_answers_for_a_table_of_images(packaged: Data) -> None:
    golden = packaged["golden_samples"]
    images = pd.concat([golden, pd.DataFrame({"image": [b"no image"]})], ignore_index=True)
    inputs = {"images": images, "recogniser": packaged["recogniser"]}
    answers = run_stage(inference.create_pipeline(), inputs)["answers"]
    assert answers["symbol"].tolist() == [*golden["symbol"], None]
    found = answers["confidence"][:-1].astype(float)
    np.testing.assert_allclose(found, golden["confidence"], atol=1e-6)
    assert answers["error"].tolist() == [None] * len(golden) + ["unsupported_format"]
    assert [*answers.columns, *MAP_COLUMNS] == SIGNATURE.outputs.input_names()


def test_inference_answers_a_map_where_it_is_asked_for(packaged: Data) -> None:
    images = packaged["golden_samples"][:3].assign(explain=[True, False, True])
    inputs = {"images": images, "recogniser": packaged["recogniser"]}
    answers = run_stage(inference.create_pipeline(), inputs)["answers"]
    assert list(answers.columns) == SIGNATURE.outputs.input_names()
    assert answers["grad_cam"].notna().tolist() == [True, False, True]


def test_the_signature_lets_nothing_but_images_in_and_whether_to_explain() -> None:
    assert SIGNATURE.inputs.input_names() == ["image", "explain"]
    assert SIGNATURE.inputs.required_input_names() == ["image"]
    assert SIGNATURE.params is None


def test_what_predicts_needs_no_torch() -> None:
    required = {line.split("==")[0] for line in LOG_MODEL_ARGUMENTS["pip_requirements"]}
    assert {"onnxruntime", "kedro", "kedro-mlflow", "pillow"} <= required
    assert not required & {"torch", "torchvision", "onnx", "scikit-learn", "matplotlib"}
