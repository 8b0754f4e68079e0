"""When a candidate becomes `prod`: the models are real, one of them is made to be right."""

import base64
import json
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest

from bukva import charset
from bukva.data.preprocessing import Preprocessing
from bukva.errors import ParityError, RegistryError
from bukva.inference.golden import golden_samples
from bukva.inference.recogniser import SPEC_KEY, Recogniser
from bukva.model_registry.registry import PackagedModel
from bukva.models.trained import TrainedModel
from bukva.pipelines import evaluation, promotion
from bukva.pipelines.evaluation.production import predict
from stage_runs import run_stage, small_data, small_parameters

FRAME_OF_32 = Preprocessing(frame_px=32).to_dict()


def packaged(onnx_model: bytes, version: str = "", corpora: tuple[str, ...] = ()) -> PackagedModel:
    tags = {"corpora": json.dumps(corpora)} if corpora else {}
    return PackagedModel(f"models:/m-{version}", version, onnx_model, tags)


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
def judge(
    truth: pd.DataFrame, symbols: tuple[pd.DataFrame, np.ndarray], random_model: TrainedModel
) -> Any:
    """Return a function that gives the verdict of `evaluation` on a candidate."""

    def run(
        candidate: PackagedModel, production: PackagedModel | None, **parameters: Any
    ) -> dict[str, Any]:
        is_test = truth["split"].eq("test")
        tests, images_NHW = truth[is_test], symbols[1][is_test.to_numpy()]
        made = run_stage(
            evaluation.create_pipeline().only_nodes("judge_candidate"),
            {
                "finetuning.model": random_model,
                "evaluation.glyphs.predictions": predict(
                    Recogniser(candidate.onnx_model), tests, images_NHW
                ),
                "results": {
                    "all.label_accuracy": 1.0,
                    "all.label_accuracy.ci95": [0.9, 1.0],
                    "seconds.finetuning": 12.5,
                },
                "production_model": production,
                "sample_table": truth,
                "sample_images": symbols[1],
                **small_parameters(evaluation=parameters),
            },
        )
        verdict: dict[str, Any] = made["verdict"]
        return verdict

    return run


def promote(
    candidate: PackagedModel,
    production: PackagedModel | None,
    verdict: dict[str, Any],
    **parameters: Any,
) -> dict[str, Any]:
    inputs = {
        "candidate_model": candidate,
        "production_model": production,
        "verdict": verdict,
        **small_parameters(promotion=parameters),
    }
    made = run_stage(promotion.create_pipeline().only_nodes("decide"), inputs)
    decision: dict[str, Any] = made["decision"]
    return decision


@pytest.fixture(scope="module")
def golden(random_recogniser: Recogniser) -> pd.DataFrame:
    data = small_data()
    return golden_samples(random_recogniser, data["sample_table"], data["sample_images"], 1)


def with_dossier(onnx_model: bytes, golden: pd.DataFrame) -> dict[str, Any]:
    inputs = {
        "decision": {"is_promoted": True},
        "candidate_model": packaged(onnx_model),
        "golden_samples": golden,
        "drift_reference": {"samples": 3},
        "results": {"all.label_accuracy": 0.9},
        "model_card": "# Картка",
        "label_confusion": b"labels",
        "case_confusion": b"cases",
    }
    made = run_stage(promotion.create_pipeline().only_nodes("add_dossier"), inputs)
    registration: dict[str, Any] = made["registration"]
    return registration


def test_what_is_registered_carries_its_dossier(random_onnx: bytes, golden: pd.DataFrame) -> None:
    registration = with_dossier(random_onnx, golden)
    assert registration["is_promoted"]
    dossier = registration["dossier"]
    assert dossier["card.md"].decode() == "# Картка"
    assert json.loads(dossier["results.json"]) == {"all.label_accuracy": 0.9}
    assert json.loads(dossier["reference.json"]) == {"samples": 3}
    assert dossier["label_confusion.png"] == b"labels"
    samples = json.loads(dossier["golden_samples.json"])
    assert len(samples) == len(golden)
    assert base64.b64decode(samples[0]["image"]) == golden["image"][0]
    assert samples[0]["symbol"] == golden["symbol"][0]


def test_a_model_that_fails_its_golden_samples_is_not_registered(
    random_onnx: bytes, golden: pd.DataFrame
) -> None:
    with pytest.raises(ParityError, match="golden samples"):
        with_dossier(stubborn(random_onnx), golden)


def test_the_first_candidate_is_promoted(
    judge: Any, random_onnx: bytes, random_model: TrainedModel
) -> None:
    candidate = packaged(random_onnx)
    decision = promote(candidate, None, judge(candidate, None))
    assert decision["is_promoted"]
    assert not decision["is_known"]
    assert decision["reason"] == "no model is in production"
    assert decision["tags"] == {
        "corpora": ["strokes"],
        "data_fingerprint": random_model.spec.data_fingerprint,
        "all.label_accuracy": 1.0,
    }


def test_a_better_candidate_is_promoted(judge: Any, random_onnx: bytes) -> None:
    candidate, production = packaged(random_onnx), packaged(stubborn(random_onnx), "3")
    verdict = judge(candidate, production)
    assert verdict["comparison"]["label_accuracy.difference"] > 0.5
    assert verdict["comparison"]["label_accuracy.only_first_right"] == 0
    assert verdict["comparison_by_corpus"].keys() == {"strokes"}
    decision = promote(candidate, production, verdict)
    assert decision["is_promoted"]
    assert decision["production_version"] == "3"


def test_a_worse_candidate_is_not(judge: Any, truth: pd.DataFrame, random_onnx: bytes) -> None:
    candidate, production = packaged(stubborn(random_onnx)), packaged(random_onnx, "3")
    decision = promote(candidate, production, judge(candidate, production))
    assert not decision["is_promoted"]
    tests = truth["split"].eq("test").sum()
    assert f"label accuracy on the same {tests} test samples: -" in decision["reason"]
    assert "worse beyond chance" in decision["reason"]


@pytest.mark.parametrize(("tolerance", "is_promoted"), [(0.0, False), (0.1, True)])
def test_an_equal_candidate_needs_some_tolerance(
    judge: Any, random_onnx: bytes, tolerance: float, is_promoted: bool
) -> None:
    candidate, production = packaged(renamed(random_onnx)), packaged(random_onnx, "3")
    verdict = judge(candidate, production, tolerance=tolerance)
    assert verdict["comparison"]["label_accuracy.difference"] == 0
    assert promote(candidate, production, verdict)["is_promoted"] == is_promoted


def test_a_worse_candidate_can_be_forced(judge: Any, random_onnx: bytes) -> None:
    candidate, production = packaged(stubborn(random_onnx)), packaged(random_onnx, "3")
    decision = promote(candidate, production, judge(candidate, production), force=True)
    assert decision["is_promoted"]
    assert decision["reason"].endswith("; forced by promotion.force")


@pytest.mark.parametrize("force", [False, True])
def test_the_model_in_production_is_known(judge: Any, random_onnx: bytes, force: bool) -> None:
    """Also by a verdict from before it was promoted."""
    candidate, production = packaged(random_onnx), packaged(random_onnx, "3")
    decision = promote(candidate, production, judge(candidate, None), force=force)
    assert decision["is_known"]
    assert not decision["is_promoted"]
    assert decision["reason"] == "it is version 3, already in production"


def test_a_candidate_tested_on_fewer_corpora_is_not_promoted(
    judge: Any, random_onnx: bytes
) -> None:
    production = packaged(stubborn(random_onnx), "3", corpora=("rukopys", "strokes"))
    verdict = judge(packaged(random_onnx), production)
    assert not verdict["is_accepted"]
    assert "was tested on rukopys, this one was not; label accuracy on" in verdict["reason"]
    # They are compared all the same, on what there is.
    assert verdict["comparison"]["label_accuracy.difference"] > 0


def test_the_absence_of_an_embedded_corpus_does_not_stand_in_the_way(
    judge: Any, random_onnx: bytes
) -> None:
    production = packaged(stubborn(random_onnx), "3", corpora=("digits", "strokes"))
    assert judge(packaged(random_onnx), production)["is_accepted"]


@pytest.mark.parametrize(
    "change",
    [{"labels": charset.DIGITS}, {"page_features": ["rel_height"]}, {"preprocessing": FRAME_OF_32}],
)
def test_a_model_with_other_inputs_or_labels_cannot_be_compared(
    judge: Any, random_onnx: bytes, change: dict[str, Any]
) -> None:
    verdict = judge(packaged(random_onnx), packaged(with_spec(random_onnx, **change), "3"))
    assert not verdict["is_accepted"]
    assert "cannot be compared" in verdict["reason"]


def test_the_order_of_labels_does_not_matter(judge: Any, random_onnx: bytes) -> None:
    reverse = with_spec(random_onnx, labels=Recogniser(random_onnx).labels[::-1])
    verdict = judge(packaged(random_onnx), packaged(reverse, "3"))
    assert verdict["is_accepted"]
    assert verdict["comparison"]["label_accuracy.difference"] > 0.5


def test_a_candidate_that_was_not_evaluated_is_refused(judge: Any, random_onnx: bytes) -> None:
    candidate = packaged(random_onnx)
    verdict = judge(candidate, None) | {"weights_sha256": "f" * 64}
    with pytest.raises(RegistryError, match="to be the evaluated one") as caught:
        promote(candidate, None, verdict)
    assert "ffffffffffff" in str(caught.value)
    assert "--pipeline=evaluation" in str(caught.value)


def test_a_verdict_about_another_production_is_refused(judge: Any, random_onnx: bytes) -> None:
    """Somebody promoted another model between `evaluation` and `promotion`."""
    candidate = packaged(renamed(random_onnx))
    verdict = judge(candidate, packaged(stubborn(random_onnx), "3"))
    with pytest.raises(RegistryError, match=r"\(version 3\), got version 4") as caught:
        promote(candidate, packaged(random_onnx, "4"), verdict)
    assert "--pipeline=evaluation" in str(caught.value)
    with pytest.raises(RegistryError, match=r"\(version 3\), got none"):
        promote(candidate, None, verdict)
