"""What happens around a run: the checks before it, the clock beside it."""

import time
from importlib.metadata import distribution
from pathlib import Path

import mlflow
import pytest
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro.io import DataCatalog
from kedro.pipeline import Node, Pipeline
from kedro_datasets.json import JSONDataset
from kedro_project import PROJECT, make_context, run_pipeline
from object_store import s3_is
from serving_servers import free_port, tracking_restored

from bukva.errors import ParameterError, StorageUnreachableError, TrackingUnreachableError
from bukva.hooks import ParametersHooks, StageTimingHooks, TrackingHooks
from bukva.settings import DISABLE_HOOKS_FOR_PLUGINS


def test_a_session_stops_at_once_where_mlflow_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    started_s = time.monotonic()
    with tracking_restored():
        bootstrap_project(PROJECT)
        session = KedroSession.create(PROJECT, env="prod")
        with pytest.raises(TrackingUnreachableError, match=address):
            session.run(pipeline_names=["data_processing"])
    assert time.monotonic() - started_s < 10


def test_a_run_stops_at_once_where_its_store_is_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUKVA_TEST_ROOT", "s3://bukva/tasks/glyph")
    down = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}", "AWS_ACCESS_KEY_ID": "key"}
    with (
        s3_is(down | {"AWS_SECRET_ACCESS_KEY": "secret"}),
        pytest.raises(StorageUnreachableError, match=down["AWS_ENDPOINT_URL"]),
    ):
        run_pipeline("data_processing", tmp_path)
    # Nothing is left open in MLflow.
    assert mlflow.active_run() is None


def test_the_database_lies_in_the_project_wherever_the_run_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebooks = tmp_path / "notebooks"
    notebooks.mkdir()
    monkeypatch.chdir(notebooks)
    context = make_context(tmp_path, "base")
    with tracking_restored():
        TrackingHooks().after_context_created(context)
    uri = context.config_loader["mlflow"]["server"]["mlflow_tracking_uri"]
    assert uri == f"sqlite:///{tmp_path}/mlflow.db"


RUN_PARAMS = dict.fromkeys(
    ("tags", "node_names", "from_nodes", "to_nodes", "from_inputs", "load_versions")
)


def test_each_pipeline_of_a_process_has_a_run_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a notebook; where tracking is disabled there is none, nor that of the one before."""
    monkeypatch.setenv("BUKVA_TEST_STORAGE", str(tmp_path))
    hooks, ids = TrackingHooks(), []
    with tracking_restored():
        hooks.after_context_created(make_context(PROJECT, "test"))
        for name, end in (
            ("data_processing", hooks.after_pipeline_run),
            ("inference", hooks.after_pipeline_run),
            ("finetuning", hooks.on_pipeline_error),
        ):
            params = RUN_PARAMS | {"pipeline_names": [name]}
            hooks.before_pipeline_run(params, Pipeline([]), DataCatalog())
            hooks.before_node_run({"params:seed": 1, "params:group": {"of": {"them": "a"}}})
            run = mlflow.active_run()
            ids.append(run.info.run_id if run else None)
            end()
            assert mlflow.active_run() is None
        first, second = (mlflow.get_run(ids[index]) for index in (0, 2))
    assert ids[1] is None
    assert first.info.run_id != second.info.run_id
    assert (first.info.run_name, first.info.status) == ("data_processing", "FINISHED")
    assert (second.info.run_name, second.info.status) == ("finetuning", "FAILED")
    assert first.data.params == second.data.params == {"seed": "1", "group.of.them": "a"}
    assert first.data.tags["kedro_command"] == "kedro run --pipeline=data_processing"


def test_a_run_that_was_open_before_stays_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUKVA_TEST_STORAGE", str(tmp_path))
    hooks = TrackingHooks()
    with tracking_restored():
        hooks.after_context_created(make_context(PROJECT, "test"))
        with mlflow.start_run() as run:
            hooks.after_context_created(make_context(PROJECT, "test"))
            params = RUN_PARAMS | {"pipeline_names": ["finetuning"]}
            hooks.before_pipeline_run(params, Pipeline([]), DataCatalog())
            hooks.before_node_run({"params:seed": 1})
            hooks.after_pipeline_run()
            assert mlflow.active_run() is run
        assert mlflow.get_run(run.info.run_id).data.params == {"seed": "1"}


def test_kedro_mlflow_does_not_begin_a_second_run() -> None:
    """Kedro knows plugins by the name in their metadata, which has been spelt in two ways."""
    assert [distribution("kedro-mlflow").metadata["Name"]] == list(DISABLE_HOOKS_FOR_PLUGINS)


def test_all_bad_parameters_are_reported_at_once() -> None:
    context = make_context(
        PROJECT,
        "test",
        finetuning={"max_epochs": 0},
        mnist_pretraining={"nonsense": 1},
        data_processing={"test_share": 2},
    )
    with pytest.raises(ParameterError) as caught:
        ParametersHooks().after_context_created(context)
    message = str(caught.value)
    assert "3 bad parameters" in message
    assert "finetuning.max_epochs" in message
    assert "mnist_pretraining.nonsense" in message
    assert "data_processing.test_share" in message
    assert "got 2" in message


def test_good_parameters_pass() -> None:
    ParametersHooks().after_context_created(make_context(PROJECT, "test"))


def wait(value: str) -> str:
    time.sleep(0.15)
    return value


@pytest.fixture
def catalog(tmp_path: Path) -> DataCatalog:
    names = ("stage_seconds", "results")
    return DataCatalog({name: JSONDataset(filepath=f"{tmp_path}/{name}.json") for name in names})


def run_timed(hooks: StageTimingHooks, catalog: DataCatalog, nodes: list[Node], name: str) -> None:
    hooks.before_pipeline_run({"pipeline_names": [name]})
    for node in nodes:
        node.run({"value": "a"})
        hooks.after_node_run(node)
    hooks.after_pipeline_run(catalog)


def timed_node(name: str, tags: list[str]) -> Node:
    return Node(wait, "value", name, name=name, tags=tags)


def test_time_is_added_up_by_stage(catalog: DataCatalog) -> None:
    hooks = StageTimingHooks()
    nodes = [timed_node("a", ["first"]), timed_node("b", ["second"]), timed_node("c", ["first"])]
    run_timed(hooks, catalog, nodes, "__default__")
    seconds = catalog.load("stage_seconds")
    assert seconds == {
        "seconds.first": pytest.approx(0.3, abs=0.11),
        "seconds.second": pytest.approx(0.2, abs=0.11),
    }


def test_a_pipeline_without_tags_is_a_stage_of_its_own_name(catalog: DataCatalog) -> None:
    run_timed(StageTimingHooks(), catalog, [timed_node("a", [])], "packaging")
    assert catalog.load("stage_seconds").keys() == {"seconds.packaging"}


def test_seconds_join_the_results_and_outlive_their_next_evaluation(catalog: DataCatalog) -> None:
    hooks = StageTimingHooks()
    catalog.save("results", {"strokes.label_accuracy": 0.9})
    run_timed(hooks, catalog, [timed_node("a", ["finetuning"])], "finetuning")
    catalog.save("results", {"strokes.label_accuracy": 0.8})
    run_timed(hooks, catalog, [timed_node("b", ["evaluation"])], "evaluation")
    assert catalog.load("results").keys() == {
        "strokes.label_accuracy",
        "seconds.finetuning",
        "seconds.evaluation",
    }
    # The clock starts anew: the first run's stage did not grow.
    assert catalog.load("results")["seconds.finetuning"] <= 0.3


def test_without_results_only_the_seconds_are_kept(catalog: DataCatalog) -> None:
    run_timed(StageTimingHooks(), catalog, [timed_node("a", ["finetuning"])], "finetuning")
    assert not catalog.exists("results")
