"""From a trained model to what is packaged, and from that to answers."""

import json
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from job_storage import Storage
from stage_runs import Data, run_stage, small_parameters

from bukva.errors import ModelFormatError, ParityError
from bukva.pipelines.inference import pipeline as inference
from bukva.pipelines.packaging import pipeline as packaging
from bukva.pipelines.packaging.nodes import assemble_package, verify
from bukva.registry.packaging import LOG_MODEL_ARGUMENTS, signature_of
from bukva.tasks.glyph import charset
from bukva.tasks.glyph.answer import EXPLANATION_COLUMNS
from bukva.tasks.glyph.golden import check_golden_samples
from bukva.tasks.glyph.recogniser import read_golden
from bukva.tasks.glyph.task import TASK
from bukva.tasks.glyph.trained import TrainedModel

SIGNATURE = signature_of(TASK)


@pytest.fixture(scope="module")
def data(job: Storage) -> Data:
    """What the stages before it left."""
    names = packaging.create_pipeline().inputs()
    return {name: job.load(name) for name in names if not name.startswith("params:")}


@pytest.fixture(scope="module")
def packaged(data: Data) -> Data:
    return run_stage(packaging.create_pipeline(), data | small_parameters())


def test_the_recogniser_was_verified_on_every_test_image(packaged: Data, data: Data) -> None:
    parity = packaged["parity"]
    assert parity["images"] == data["sample_table"]["split"].eq("test").sum()
    assert 0 < parity["max_label_difference"] <= 1e-4
    assert packaged["recogniser"] is packaged["exported_recogniser"]


def test_golden_samples_show_every_tested_symbol(packaged: Data, data: Data) -> None:
    golden = packaged["golden_samples"]
    tests = data["sample_table"].query("split == 'test' and corpus != 'nonsymbols'")
    assert len(golden) == len(tests[["label", "is_uppercase"]].drop_duplicates())
    assert golden["true_symbol"].is_unique
    assert set(golden["true_symbol"]) <= set(charset.SYMBOLS)


def test_the_package_carries_its_dossier(packaged: Data, data: Data) -> None:
    dossier = packaged["packaged_models"].dossier
    assert dossier["card.md"].decode() == data["model_card"]
    assert json.loads(dossier["results.json"]) == data["results"]
    assert json.loads(dossier["reference.json"]) == packaged["drift_reference"]
    assert json.loads(dossier["parameters.json"])["finetuning"]["max_epochs"] == 2
    assert dossier["label_confusion.png"] == data["label_confusion"]
    golden = packaged["golden_samples"]
    read = pd.DataFrame(read_golden(dossier["golden_samples.json"]))
    assert read["image"].tolist() == golden["image"].tolist()
    check_golden_samples(packaged["recogniser"], read)
    with pytest.raises(ParityError, match="golden samples"):
        check_golden_samples(packaged["recogniser"], read.assign(symbol="ґ"))


def test_the_package_says_what_it_is(packaged: Data, data: Data) -> None:
    tags = packaged["packaged_models"].tags
    results = data["results"]
    assert tags["corpora"] == ["digits", "strokes"]
    assert tags["network"] == data["finetuning.model"].spec.network
    assert tags["weights_sha256"] == data["finetuning.model"].digest()
    for key in ("all.label_accuracy", "strokes.letters.case_accuracy.ci95"):
        assert tags[key] == results[key]
    assert not [key for key in tags if key.startswith("seconds.")]
    metrics = packaged["packaged_models"].metrics
    assert metrics["all.label_accuracy"] == results["all.label_accuracy"]
    assert metrics["all.ece"] == results["all.ece"]
    assert not [key for key in metrics if key.startswith("seconds.") or key.endswith(".n")]


def test_results_of_another_model_are_not_packaged(
    packaged: Data, data: Data, random_model: TrainedModel
) -> None:
    with pytest.raises(ModelFormatError, match="Expected results of the packaged model") as caught:
        assemble_package(
            packaged["recogniser"],
            packaged["dossier"],
            data["results"] | {"model.weights_sha256": random_model.digest()},
            data["sample_table"],
            data["sample_images"],
        )
    assert "--pipeline=evaluation" in str(caught.value)


def test_another_model_than_the_recogniser_is_refused(
    data: Data, make_model: Callable[..., TrainedModel], packaged: Data
) -> None:
    other = make_model(labels=charset.CLASSES)
    parameters = small_parameters()["params:packaging"]
    with pytest.raises(ParityError, match=r"differ by at most 0\.0001"):
        verify(
            other, packaged["recogniser"], data["sample_table"], data["sample_images"], parameters,
        )  # fmt: skip


def test_inference_answers_for_a_table_of_images(packaged: Data) -> None:
    golden = packaged["golden_samples"]
    images = pd.concat([golden, pd.DataFrame({"image": [b"no image"]})], ignore_index=True)
    inputs = {"images": images, "recogniser": packaged["recogniser"]}
    answers = run_stage(inference.create_pipeline(), inputs)["answers"]
    expected = [*golden["symbol"].fillna("none"), "none"]
    assert answers["symbol"].fillna("none").tolist() == expected
    assert len(set(expected)) > 5
    found = answers["confidence"][:-1].astype(float)
    np.testing.assert_allclose(found, golden["confidence"], atol=1e-6)
    assert answers["error"].tolist() == [None] * len(golden) + ["unsupported_format"]
    assert [*answers.columns, *EXPLANATION_COLUMNS] == SIGNATURE.outputs.input_names()


def test_inference_answers_a_map_where_it_is_asked_for(packaged: Data) -> None:
    images = packaged["golden_samples"][:3].assign(explain=[True, False, True])
    inputs = {"images": images, "recogniser": packaged["recogniser"]}
    answers = run_stage(inference.create_pipeline(), inputs)["answers"]
    assert list(answers.columns) == SIGNATURE.outputs.input_names()
    assert answers["grad_cam"].notna().tolist() == [True, False, True]


def test_the_signature_lets_nothing_but_images_in_and_whether_to_explain() -> None:
    assert SIGNATURE.inputs.input_names() == ["image", "explain", "source"]
    assert SIGNATURE.inputs.required_input_names() == ["image"]
    assert SIGNATURE.params is None


def test_what_predicts_needs_no_torch() -> None:
    required = {line.split("==")[0] for line in LOG_MODEL_ARGUMENTS["pip_requirements"]}
    assert {"onnxruntime", "kedro", "kedro-mlflow", "pillow"} <= required
    assert not required & {"torch", "torchvision", "onnx", "scikit-learn", "matplotlib"}
