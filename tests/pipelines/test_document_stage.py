"""The task `document` from lines to a verdict, on lines drawn in fonts."""

import json
from typing import Any

import pytest
from stage_runs import Data, run_stage, small_parameters

from bukva.core.networks import NetworkWeights
from bukva.core.training.checkpoint import CheckpointStore
from bukva.errors import ParityError
from bukva.pipelines.document.pipeline import create_pipelines
from bukva.registry.models import Origin, PackagedModel
from bukva.tasks.document.task import TASK

PIPELINES = create_pipelines()


def parameters() -> Data:
    document = small_parameters()["params:document"]
    groups = ("data_processing", "training", "evaluation", "promotion")
    return {f"params:document.{name}": getattr(document, name) for name in groups}


class NoStore:
    """Keeps no checkpoint."""

    def load(self) -> None:
        return None

    def save(self, state: bytes) -> None:
        pass

    def clear(self) -> None:
        pass


@pytest.fixture(scope="module")
def made() -> Data:
    """All that the stages up to packaging make."""
    store: CheckpointStore = NoStore()
    data: Data = {
        **parameters(),
        "document.corpora": {},
        "document.pretrained": None,
        "document.training.checkpoints": store,
        "document.training.epoch_metrics": lambda row: None,
    }
    for name in ("data_processing", "training", "evaluation", "packaging"):
        data |= run_stage(PIPELINES[name], data)
    return data


def test_results_are_of_the_model_that_is_packaged(made: Data) -> None:
    package = made["document.packaged_models"]
    results = json.loads(package.dossier["results.json"])
    assert results["model.onnx_sha256"] == made["document.training.model"].sha256
    assert results["all.accuracy.n"] == len(made["document.predictions"])
    assert package.tags["corpora"] == ["drawn_lines"]


def test_golden_samples_are_answered_as_they_were(made: Data) -> None:
    package = made["document.packaged_models"]
    golden = package.dossier["golden_samples.json"]
    TASK.check_golden(made["document.training.model"], golden)
    rows = json.loads(golden)
    assert all(row["label"] for row in rows)
    changed = json.dumps([row | {"label": "blank"} for row in rows]).encode()
    with pytest.raises(ParityError):
        TASK.check_golden(made["document.training.model"], changed)


def test_each_question_about_the_confound_has_its_row(made: Data) -> None:
    rows = " / ".join(made["document.confound"]["row"])
    for asked in ("paper alone", "stroke width", "saliency", "single lines"):
        assert asked in rows


def test_the_table_of_networks_tells_size_and_speed(made: Data) -> None:
    [row] = made["document.comparison"].to_dict("records")
    assert row["name"] == "strides"
    assert row["bytes_to_answer_ms"] > 0
    assert row["parameters"] == made["document.training.model"].spec["weights"]


def test_weights_are_kept_with_their_specification(made: Data) -> None:
    kept = made["document.training.weights"]
    assert isinstance(kept, NetworkWeights)
    assert kept.spec == made["document.training.model"].spec


def packaged(made: Data, version: str = "") -> PackagedModel:
    package = made["document.packaged_models"]
    tags: dict[str, Any] = {"files_sha256": "abc", **package.tags}
    tags["corpora"] = json.dumps(tags["corpora"])
    content = package.recogniser.onnx_model
    origin = Origin("run-1", "FINISHED", "bukva")
    return PackagedModel("models:/m-1", tags, read_onnx=lambda: content, version=version,
                         origin=origin)  # fmt: skip


def test_the_first_model_goes_into_production_and_the_same_one_does_not_again(made: Data) -> None:
    inputs = {
        **parameters(),
        "document.packaged_models": [packaged(made)],
        "document.registered_models": {},
        "document.sample_table": made["document.sample_table"],
        "document.sample_images": made["document.sample_images"],
    }
    first = run_stage(PIPELINES["promotion"], inputs)
    assert first["document.decision"]["is_promoted"]
    known = inputs | {"document.registered_models": {"prod": packaged(made, "1")}}
    second = run_stage(PIPELINES["promotion"], known)
    assert not second["document.decision"]["is_promoted"]
    assert "already in production" in second["document.verdict"]["reason"]


def test_a_model_that_loses_one_label_is_not_promoted(made: Data) -> None:
    table = made["document.predictions"].assign(group="one")
    table["predicted"] = table["label"]
    worse = table.assign(predicted="handwritten")
    from bukva.core.evaluation.verdict import judge

    judgement = judge(TASK, table, worse, 0.01)
    assert not judgement.is_accepted
    assert "printed lines" in judgement.reason
