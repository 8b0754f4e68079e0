"""When a candidate becomes `prod`: the models are real, one of them is made to be right."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest
from stage_runs import Data, run_stage, small_data, small_parameters

from bukva.core.predictor import SPEC_KEY
from bukva.core.samples import digest_test_split
from bukva.errors import RegistryError
from bukva.pipeline_registry import register_pipelines
from bukva.pipelines.templates.promotion import choose
from bukva.registry.models import Origin, PackagedModel
from bukva.tasks.glyph import charset
from bukva.tasks.glyph.preprocessing import Preprocessing
from bukva.tasks.glyph.recogniser import Recogniser
from bukva.tasks.glyph.task import predict

PIPELINES = register_pipelines()

FRAME_OF_32 = Preprocessing(frame_px=32).to_dict()
FINISHED = Origin("run-1", "FINISHED", "bukva")


def packaged(
    onnx_model: bytes, version: str = "", corpora: tuple[str, ...] = (), **tags: str
) -> PackagedModel:
    tags = {"files_sha256": "abc", **tags}
    if corpora:
        tags["corpora"] = json.dumps(corpora)
    return PackagedModel(
        f"models:/m-{version}", tags, read_onnx=lambda: onnx_model, version=version, origin=FINISHED
    )


def stubborn(onnx_model: bytes) -> bytes:
    """The same network, but for a bias that makes it answer `0` to everything."""
    proto = onnx.load_from_string(onnx_model)
    [bias] = [item for item in proto.graph.initializer if list(item.dims) == [43]]
    bias.CopyFrom(onnx.numpy_helper.from_array(np.eye(43, dtype=np.float32)[0] * 1e4, bias.name))
    return bytes(proto.SerializeToString())


def renamed(onnx_model: bytes) -> bytes:
    """Another file that gives the same answers."""
    proto = onnx.load_from_string(onnx_model)
    proto.producer_name = "somebody else"
    return bytes(proto.SerializeToString())


def with_spec(onnx_model: bytes, **changes: Any) -> bytes:
    proto = onnx.load_from_string(onnx_model)
    spec = Recogniser(onnx_model).spec | changes
    onnx.helper.set_model_props(proto, {SPEC_KEY: json.dumps(spec)})
    return bytes(proto.SerializeToString())


@pytest.fixture(scope="module")
def symbols() -> tuple[pd.DataFrame, np.ndarray]:
    """Table and images of the samples that show a symbol."""
    is_symbol = small_data()["sample_table"]["label"].isin(list(charset.LABELS))
    images_NHW = small_data()["sample_images"][is_symbol.to_numpy()]
    return small_data()["sample_table"][is_symbol].reset_index(drop=True), images_NHW


@pytest.fixture(scope="module")
def truth(symbols: tuple[pd.DataFrame, np.ndarray], random_recogniser: Recogniser) -> pd.DataFrame:
    """The sample table with the labels that the model gives: by it, the model is always right."""
    table, images_NHW = symbols
    predictions = predict(random_recogniser, table, images_NHW)
    return table.assign(label=predictions["predicted_label"])


@pytest.fixture
def promote(truth: pd.DataFrame, symbols: tuple[pd.DataFrame, np.ndarray]) -> Any:
    """Return a function that gives what becomes of a candidate; it knows the test split."""
    test_split = digest_test_split(truth, symbols[1])

    def run(candidate: PackagedModel, production: PackagedModel | None, **parameters: Any) -> Data:
        known = replace(candidate, tags={"test_split_sha256": test_split, **candidate.tags})
        inputs = {
            "packaged_models": [known],
            "registered_models": {"prod": production} if production else {},
            "sample_table": truth,
            "sample_images": symbols[1],
            **small_parameters(promotion=parameters),
        }
        return run_stage(PIPELINES["promotion"], inputs)

    return run


def test_the_first_candidate_is_promoted(promote: Any, random_onnx: bytes) -> None:
    made = promote(packaged(random_onnx), None)
    decision, registration = made["decision"], made["registration"]
    assert decision["is_promoted"]
    assert not decision["is_known"]
    assert decision["reason"] == "no model is in production"
    assert registration.is_promoted
    assert registration.model is made["candidate_model"]
    assert registration.production_version == ""


def test_a_better_candidate_is_promoted(promote: Any, random_onnx: bytes) -> None:
    made = promote(packaged(random_onnx), packaged(stubborn(random_onnx), "3"))
    verdict = made["verdict"]
    assert verdict["comparison"]["label_accuracy.difference"] > 0.5
    assert verdict["comparison"]["label_accuracy.only_first_right"] == 0
    assert verdict["comparison_by_corpus"].keys() == {"strokes"}
    assert made["decision"]["is_promoted"]
    assert made["decision"]["production_version"] == "3"
    # Refused by the registry if another one is there by then.
    assert made["registration"].production_version == "3"


def test_a_worse_candidate_is_not(promote: Any, truth: pd.DataFrame, random_onnx: bytes) -> None:
    made = promote(packaged(stubborn(random_onnx)), packaged(random_onnx, "3"))
    assert not made["decision"]["is_promoted"]
    assert not made["registration"].is_promoted
    tests = truth["split"].eq("test").sum()
    reason = made["decision"]["reason"]
    assert f"label accuracy on the same {tests} test samples: -" in reason
    assert "worse beyond chance" in reason


@pytest.mark.parametrize(("tolerance", "is_promoted"), [(0.0, False), (0.1, True)])
def test_an_equal_candidate_needs_some_tolerance(
    promote: Any, random_onnx: bytes, tolerance: float, is_promoted: bool
) -> None:
    candidate, production = packaged(renamed(random_onnx)), packaged(random_onnx, "3")
    made = promote(candidate, production, tolerance=tolerance)
    assert made["verdict"]["comparison"]["label_accuracy.difference"] == 0
    assert made["decision"]["is_promoted"] == is_promoted


def test_a_worse_candidate_can_be_forced(promote: Any, random_onnx: bytes) -> None:
    made = promote(packaged(stubborn(random_onnx)), packaged(random_onnx, "3"), force=True)
    assert made["registration"].is_promoted
    assert made["decision"]["reason"].endswith("; forced by promotion.force")


def test_a_better_candidate_need_not_be_promoted(promote: Any, random_onnx: bytes) -> None:
    """As retraining ends: in a candidate."""
    made = promote(packaged(random_onnx), packaged(stubborn(random_onnx), "3"), promote=False)
    assert made["verdict"]["is_accepted"]
    assert not made["registration"].is_promoted
    assert made["decision"]["reason"].endswith("; promotion.promote is false")


@pytest.mark.parametrize("force", [False, True])
def test_the_model_in_production_is_known(promote: Any, random_onnx: bytes, force: bool) -> None:
    made = promote(packaged(random_onnx), packaged(random_onnx, "3"), force=force)
    assert made["decision"]["is_known"]
    assert not made["registration"].is_promoted
    assert made["decision"]["reason"] == "it is version 3, already in production"


def test_a_candidate_tested_on_fewer_corpora_is_not_promoted(
    promote: Any, random_onnx: bytes
) -> None:
    production = packaged(stubborn(random_onnx), "3", corpora=("rukopys", "strokes"))
    verdict = promote(packaged(random_onnx), production)["verdict"]
    assert not verdict["is_accepted"]
    assert "was tested on rukopys, this one was not; label accuracy on" in verdict["reason"]
    # They are compared all the same, on what there is.
    assert verdict["comparison"]["label_accuracy.difference"] > 0


def test_the_absence_of_an_embedded_corpus_does_not_stand_in_the_way(
    promote: Any, random_onnx: bytes
) -> None:
    production = packaged(stubborn(random_onnx), "3", corpora=("digits", "strokes"))
    assert promote(packaged(random_onnx), production)["verdict"]["is_accepted"]


def test_a_candidate_of_another_test_split_is_not_promoted(
    promote: Any, random_onnx: bytes
) -> None:
    candidate = packaged(random_onnx, test_split_sha256="another")
    verdict = promote(candidate, packaged(stubborn(random_onnx), "3"))["verdict"]
    assert not verdict["is_accepted"]
    assert "it may have learnt from these test samples" in verdict["reason"]


@pytest.mark.parametrize(
    "change",
    [{"labels": charset.DIGITS}, {"page_features": ["rel_height"]}, {"preprocessing": FRAME_OF_32}],
)
def test_a_model_with_other_inputs_or_labels_cannot_be_compared(
    promote: Any, random_onnx: bytes, change: dict[str, Any]
) -> None:
    production = packaged(with_spec(random_onnx, **change), "3")
    verdict = promote(packaged(random_onnx), production)["verdict"]
    assert not verdict["is_accepted"]
    assert "cannot be compared" in verdict["reason"]


def test_the_order_of_labels_does_not_matter(promote: Any, random_onnx: bytes) -> None:
    reverse = with_spec(random_onnx, labels=Recogniser(random_onnx).labels[::-1])
    verdict = promote(packaged(random_onnx), packaged(reverse, "3"))["verdict"]
    assert verdict["is_accepted"]
    assert verdict["comparison"]["label_accuracy.difference"] > 0.5


def candidate(run_id: str, status: str = "FINISHED", experiment: str = "a", **scores: float) -> Any:
    model = packaged(b"", metrics="")
    return replace(model, uri=run_id, metrics=scores, origin=Origin(run_id, status, experiment))


MODELS = [
    candidate("running", "RUNNING", accuracy=1.0),
    replace(candidate("interrupted", accuracy=1.0), tags={}),
    candidate("last", accuracy=0.7, ece=0.01),
    replace(candidate("damaged", accuracy=1.0, ece=0.0), find_damage=lambda: "files are missing"),
    candidate("best", accuracy=0.9, ece=0.05),
    candidate("elsewhere", experiment="b", accuracy=0.8),
    candidate("equal", accuracy=0.9),
    candidate("failed", "FAILED", accuracy=1.0),
    replace(candidate("of_no_run", accuracy=1.0), origin=None),
]


def choose_by(**parameters: Any) -> str:
    chosen = small_parameters(promotion=parameters)["params:promotion"]
    return choose(MODELS, {"2": candidate("two"), "candidate": candidate("two")}, chosen).uri


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, "last"),
        ({"metric": "accuracy"}, "best"),
        ({"metric": "accuracy", "experiments": ["b"]}, "elsewhere"),
        ({"metric": "accuracy", "experiments": ["a", "b"]}, "best"),
        ({"metric": "ece", "is_lower_better": True}, "last"),
        ({"run_id": "elsewhere"}, "elsewhere"),
        ({"version": "candidate"}, "two"),
        ({"version": 2}, "two"),
    ],
)
def test_the_candidate_is_the_finished_model_that_was_asked_for(
    parameters: dict[str, Any], expected: str
) -> None:
    assert choose_by(**parameters) == expected


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"run_id": "running"}, "its run running is RUNNING"),
        ({"run_id": "failed"}, "is FAILED"),
        ({"run_id": "interrupted"}, "interrupted before it was sealed"),
        ({"run_id": "nowhere"}, "Expected a run that packaged a model .*, got nowhere"),
        ({"metric": "f1"}, "'f1' .* in any experiment, got 5 models with: accuracy, ece"),
        ({"metric": "accuracy", "experiments": ["c"]}, "in c, got 0 models with: none"),
        ({"version": "9"}, "got '9', of 2, candidate"),
    ],
)
def test_what_cannot_be_chosen_is_said(parameters: dict[str, Any], words: str) -> None:
    with pytest.raises(RegistryError, match=words):
        choose_by(**parameters)


def test_without_a_packaged_model_the_message_says_what_to_run() -> None:
    parameters = small_parameters()["params:promotion"]
    with pytest.raises(RegistryError, match="kedro run --pipeline=packaging"):
        choose([], {}, parameters)
