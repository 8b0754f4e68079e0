"""The task `line` from made lines to a verdict."""

import json
from typing import Any

import pytest
from stage_runs import Data, run_stage, small_parameters

from bukva.core.evaluation.verdict import judge
from bukva.core.training.checkpoint import CheckpointStore
from bukva.errors import ParityError
from bukva.pipelines.line.pipeline import create_pipelines
from bukva.registry.models import Origin, PackagedModel
from bukva.tasks.line.task import TASK

PIPELINES = create_pipelines()


def parameters() -> Data:
    line = small_parameters()["params:line"]
    return {f"params:line.{name}": getattr(line, name) for name in type(line).model_fields}


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
        "line.corpora": {},
        "line.training.checkpoints": store,
        "line.training.epoch_metrics": lambda row: None,
    }
    for name in ("data_processing", "training", "evaluation", "packaging"):
        data |= run_stage(PIPELINES[name], data)
    return data


def test_results_are_of_the_model_that_is_packaged(made: Data) -> None:
    package = made["line.packaged_models"]
    results = json.loads(package.dossier["results.json"])
    assert results["model.onnx_sha256"] == made["line.training.model"].sha256
    assert results["all.cer.n"] == len(made["line.predictions"])
    assert package.tags["corpora"] == ["fonts"]
    assert package.metrics["all.cer"] == results["all.cer"]


def test_the_language_model_says_what_was_counted_and_travels_with_the_recogniser(
    made: Data,
) -> None:
    model, recogniser = made["line.language_model"], made["line.training.model"]
    assert model.spec["corpora"] == ["own_text"]
    assert recogniser.language_model.to_bytes() == model.to_bytes()
    assert recogniser.spec["language_model"] == model.spec


def test_golden_samples_are_answered_as_they_were(made: Data) -> None:
    package = made["line.packaged_models"]
    golden = package.dossier["golden_samples.json"]
    TASK.check_golden(made["line.training.model"], golden)
    rows = json.loads(golden)
    changed = json.dumps([row | {"text": "#"} for row in rows]).encode()
    with pytest.raises(ParityError):
        TASK.check_golden(made["line.training.model"], changed)


def test_tables_say_where_errors_come_from(made: Data) -> None:
    confusions, strata = made["line.confusions"], made["line.strata"]
    assert list(confusions)[:3] == ["written", "read", "count"]
    assert confusions["count"].is_monotonic_decreasing
    assert {"collection", "characters", "language"} <= set(strata["by"])
    assert strata.loc[strata["by"].eq("collection"), "lines"].sum() <= len(made["line.predictions"])


def test_the_classic_without_ctc_stands_beside_it_on_the_same_lines(made: Data) -> None:
    ours, classic = made["line.comparison"].to_dict("records")
    assert ours["lines"] == classic["lines"] == len(made["line.predictions"])
    assert "without CTC" in classic["name"]
    assert classic["cer"] > 0


def test_figures_show_the_test_split(made: Data) -> None:
    assert len(made["line.scores_figure"].axes) == 4
    assert len(made["line.lines_figure"].axes) >= 3


def packaged(made: Data, version: str = "") -> PackagedModel:
    package = made["line.packaged_models"]
    tags: dict[str, Any] = {"files_sha256": "abc", **package.tags}
    tags["corpora"] = json.dumps(tags["corpora"])
    content = package.recogniser.onnx_model
    origin = Origin("run-1", "FINISHED", "bukva")
    return PackagedModel("models:/m-1", tags, read_onnx=lambda: content, version=version,
                         origin=origin)  # fmt: skip


def test_the_first_model_goes_into_production_and_the_same_one_does_not_again(made: Data) -> None:
    inputs = {
        **parameters(),
        "line.packaged_models": [packaged(made)],
        "line.registered_models": {},
        "line.sample_table": made["line.sample_table"],
        "line.sample_images": made["line.sample_images"],
    }
    first = run_stage(PIPELINES["promotion"], inputs)
    assert first["line.decision"]["is_promoted"]
    known = inputs | {"line.registered_models": {"prod": packaged(made, "1")}}
    second = run_stage(PIPELINES["promotion"], known)
    assert not second["line.decision"]["is_promoted"]
    assert "already in production" in second["line.verdict"]["reason"]


def test_a_model_that_reads_fewer_characters_is_not_promoted(made: Data) -> None:
    table = made["line.predictions"].assign(character_edits=0, word_edits=0)
    worse = table.assign(character_edits=2, word_edits=1)
    judgement = judge(TASK, table, worse, 0.01)
    assert not judgement.is_accepted
    assert "characters read rightly" in judgement.reason
    assert judge(TASK, worse, table, 0.01).is_accepted
