"""Nodes of the main job, run in processes that are killed in mid-save, on disk or on S3.

Without a session: nothing but nodes and their catalog, so that the kill is certain to hit a save.
"""

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Literal, NamedTuple

import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline
from kedro.runner import SequentialRunner
from kedro_project import PROJECT, load_config
from object_store import s3_is

from bukva.datasets import storage
from bukva.datasets.storage import Files
from bukva.pipeline_registry import register_pipelines
from bukva.pipelines.parameters import Parameters, validate_parameters

STAGES = ("data_processing", "mnist_pretraining", "finetuning", "evaluation")
Moment = Literal["half", "before its name"]


class Place(NamedTuple):
    """Where a run keeps its data.

    Attributes:
        root: A folder, or a prefix of a bucket.
        environment: What leads to the bucket; nothing for a folder.
    """

    root: str
    environment: dict[str, str]


def job_nodes() -> list[Node]:
    """All nodes of the stages, each after those that it needs."""
    pipelines = register_pipelines()
    return list(sum((pipelines[name] for name in STAGES), start=Pipeline([])).nodes)


def run_nodes(place: Place, names: list[str], seed: int) -> None:
    """Run nodes in this process; a seed gives other data than another one."""
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.chdir(PROJECT)
        patch.setenv("BUKVA_TEST_ROOT", place.root)
        stack.enter_context(s3_is(place.environment))
        pipeline = Pipeline([node for node in job_nodes() if node.name in names])
        SequentialRunner().run(pipeline, open_catalog(seed))


def open_catalog(seed: int) -> DataCatalog:
    config = load_config("test", embedded={"seed": seed}, data_processing={"seed": seed})
    catalog = DataCatalog.from_config(config["catalog"])
    parameters: Parameters = validate_parameters(config["parameters"])
    for group in Parameters.model_fields:
        catalog[f"params:{group}"] = MemoryDataset(getattr(parameters, group), copy_mode="assign")
    for name in _in_tracker():
        catalog[name] = MemoryDataset()
    return catalog


def saved_files(node: Node) -> dict[str, list[str]]:
    """The files below the root that a node writes, by dataset."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BUKVA_TEST_ROOT", "ROOT")
        resolver = DataCatalog.from_config(load_config("test")["catalog"]).config_resolver
    described = {name: resolver.resolve_pattern(name) for name in node.outputs}
    paths = {
        name: str(config["filepath"]).removeprefix("ROOT/")
        for name, config in described.items()
        if str(config.get("filepath", "")).startswith("ROOT/")
    }
    return {
        name: [path, str(Path(path).with_suffix(".json"))]
        if path.endswith(".safetensors")
        else [path]
        for name, path in paths.items()
    }


def read_files(place: Place) -> dict[str, bytes]:
    """All that is below the root, by path, but for what a killed save left beside its target."""
    with s3_is(place.environment):
        files = Files(place.root)
        found = {path: files.fs.cat_file(path) for path in files.fs.find(files.path)}
    relative = {path.removeprefix(files.path).lstrip("/"): data for path, data in found.items()}
    return {path: content for path, content in relative.items() if not path.endswith(".tmp")}


def write_files(place: Place, contents: dict[str, bytes]) -> None:
    with s3_is(place.environment):
        for path, content in contents.items():
            Files(place.root).write(content, path)


def run_and_die(place: Place, names: list[str], seed: int, path: str, moment: Moment) -> None:
    """Run nodes, and be killed while this file of a folder is saved; for a process of its own."""
    die_in_save(Path(place.root) / path, moment)
    run_nodes(place, names, seed)


def die_in_save(path: Path, moment: Moment) -> None:
    """Have this process killed when it saves this file: half written, or just before its name."""
    target = Path(os.path.realpath(path))
    flush = storage.flush_to_disk

    def die(flushed: Path) -> None:
        if flushed.parent == target.parent and flushed.name.startswith(f".{target.name}."):
            if moment == "half":
                os.truncate(flushed, flushed.stat().st_size // 2)
            os.kill(os.getpid(), 9)
        flush(flushed)

    storage.flush_to_disk = die


def _in_tracker() -> list[str]:
    in_tracker = ("metrics_history", "test_metrics")
    outputs = [name for node in job_nodes() for name in node.outputs]
    return [name for name in outputs if name.endswith(in_tracker)]
