"""From a trained model to what is packaged, and from that to answers."""

import json
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from bukva import charset
from bukva.errors import ModelFormatError, ParityError
from bukva.inference.answers import MAP_COLUMNS
from bukva.inference.golden import check_golden_samples, read_golden
from bukva.inference.recogniser import Recogniser
from bukva.model_registry.packaging import LOG_MODEL_ARGUMENTS, SIGNATURE
from bukva.models.trained import TrainedModel
from bukva.pipelines import inference, packaging
from bukva.pipelines.packaging.nodes import assemble_package, verify
from stage_runs import Data, run_stage, small_data, small_parameters


@pytest.fixture(scope="module")
def packaged(random_model: TrainedModel) -> Data:
    inputs = small_data() | small_parameters() | {"finetuning.model": random_model}
    return run_stage(packaging.create_pipeline(), inputs | evaluated_as(random_model))


def evaluated_as(model: TrainedModel) -> Data:
    """What `evaluation` leaves."""
    results = {
        "all.label_accuracy": 0.9,
        "all.label_accuracy.ci95": [0.8, 1.0],
        "all.label_accuracy.n": 200,
        "all.ece": 0.02,
        "seconds.finetuning": 12.5,
        "model.weights_sha256": model.digest(),
    }
    return {
        "results": results,
        "model_card": "# Картка",
        "label_confusion": b"labels",
        "case_confusion": b"cases",
    }


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


def test_the_package_carries_its_dossier(packaged: Data) -> None:
    dossier = packaged["packaged_models"].dossier
    assert dossier["card.md"].decode() == "# Картка"
    assert json.loads(dossier["results.json"])["all.label_accuracy"] == 0.9
    assert json.loads(dossier["reference.json"]) == packaged["drift_reference"]
    assert json.loads(dossier["parameters.json"]) == {}  # of a model that was never trained
    assert dossier["label_confusion.png"] == b"labels"
    golden = packaged["golden_samples"]
    read = read_golden(dossier["golden_samples.json"])
    assert read["image"].tolist() == golden["image"].tolist()
    check_golden_samples(packaged["recogniser"], read)
    with pytest.raises(ParityError, match="golden samples"):
        check_golden_samples(packaged["recogniser"], read.assign(symbol="ґ"))


def test_the_package_says_what_it_is(packaged: Data, random_model: TrainedModel) -> None:
    tags = packaged["packaged_models"].tags
    assert tags["corpora"] == ["strokes"]
    assert tags["network"] == "glyph_cnn"
    assert tags["weights_sha256"] == random_model.digest()
    assert tags["all.label_accuracy"] == 0.9
    assert tags["all.label_accuracy.ci95"] == [0.8, 1.0]
    assert not [key for key in tags if key.startswith("seconds.")]
    assert packaged["packaged_models"].metrics == {"all.label_accuracy": 0.9, "all.ece": 0.02}


def test_results_of_another_model_are_not_packaged(
    packaged: Data, make_model: Callable[..., TrainedModel]
) -> None:
    data = small_data()
    with pytest.raises(ModelFormatError, match="Expected results of the packaged model") as caught:
        assemble_package(
            packaged["recogniser"],
            packaged["dossier"],
            evaluated_as(make_model(seed=2))["results"],
            data["sample_table"],
            data["sample_images"],
        )
    assert "--pipeline=evaluation" in str(caught.value)


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
