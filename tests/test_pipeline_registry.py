"""The table of pipelines: what each takes and gives, and that the job's parts fit together."""

import pytest
from kedro.pipeline import Pipeline

from bukva.cli.job import PARTS
from bukva.pipeline_registry import register_pipelines
from bukva.pipelines.parameters import Parameters

STAGES = ["data_processing", "mnist_pretraining", "finetuning", "evaluation", "packaging"]
RAW = {"corpora", "published_split", "corpora_manifest", "model_card_template"}
STATE = {
    f"{stage}.{written}"
    for stage in ("mnist_pretraining", "finetuning")
    for written in ("checkpoints", "epoch_metrics")
}
REGISTRY = {"registered_models"}
RELEASED = {"released_model"}


@pytest.fixture(scope="module")
def pipelines() -> dict[str, Pipeline]:
    return register_pipelines()


def data_of(names: set[str]) -> set[str]:
    return {name for name in names if not name.startswith("params:")}


def test_the_default_pipeline_is_the_sum_of_its_stages(pipelines: dict[str, Pipeline]) -> None:
    nodes = {node.name for name in STAGES for node in pipelines[name].nodes}
    assert {node.name for node in pipelines["__default__"].nodes} == nodes
    assert all(pipelines[name].nodes for name in STAGES)


def test_each_node_is_tagged_with_its_one_stage(pipelines: dict[str, Pipeline]) -> None:
    for name in STAGES:
        assert {frozenset(node.tags) for node in pipelines[name].nodes} == {frozenset({name})}


def test_the_job_runs_all_six_stages_in_order(pipelines: dict[str, Pipeline]) -> None:
    assert list(PARTS.values()) == ["__default__", "promotion"]
    assert set(PARTS.values()) <= pipelines.keys()
    order = [next(iter(node.tags)) for node in pipelines["__default__"].nodes]
    assert order.index("data_processing") < order.index("mnist_pretraining")
    assert order.index("mnist_pretraining") < order.index("finetuning")


def test_the_job_needs_corpora_and_what_is_released_alone(pipelines: dict[str, Pipeline]) -> None:
    made = set[str]()
    for name in PARTS.values():
        assert data_of(pipelines[name].inputs()) - made <= RAW | STATE | REGISTRY | RELEASED
        made |= pipelines[name].all_outputs()
    assert {"results", "recogniser", "golden_samples", "verdict", "registration"} <= made


def test_every_parameter_group_is_used(pipelines: dict[str, Pipeline]) -> None:
    used = {
        name.removeprefix("params:").partition(".")[0]
        for pipeline in pipelines.values()
        for name in pipeline.datasets()
        if name.startswith("params:")
    }
    assert used == set(Parameters.model_fields)


def test_pretraining_leads_into_finetuning(pipelines: dict[str, Pipeline]) -> None:
    assert "mnist_pretraining.model" in pipelines["finetuning"].inputs()
    assert "mnist_pretraining.model" in pipelines["mnist_pretraining"].outputs()
