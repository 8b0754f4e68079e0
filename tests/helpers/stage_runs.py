"""Single stages on small data in memory, by the runner and no session."""

from functools import cache
from typing import Any

import yaml
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Pipeline
from kedro.runner import SequentialRunner
from kedro_project import PROJECT, load_config

from bukva.pipelines.data_processing import pipeline as data_processing
from bukva.pipelines.parameters import Parameters, validate_parameters

Data = dict[str, Any]


class KeptDataset(MemoryDataset):
    """Keeps its value when the runner thinks that nobody needs it any more."""

    def _release(self) -> None:
        pass


def run_stage(pipeline: Pipeline, data: Data) -> Data:
    """Return everything that a pipeline makes of its inputs."""
    catalog = DataCatalog(
        {name: MemoryDataset(data[name], copy_mode="assign") for name in pipeline.inputs()}
        | {name: KeptDataset(copy_mode="assign") for name in pipeline.all_outputs()}
    )
    SequentialRunner().run(pipeline, catalog)
    return {name: catalog.load(name) for name in pipeline.all_outputs()}


def small_parameters(**groups: dict[str, Any]) -> Data:
    """The parameters of the environment `test` as nodes get them."""
    config = load_config("test", **groups)
    parameters: Parameters = validate_parameters(config["parameters"])
    return {f"params:{name}": getattr(parameters, name) for name in Parameters.model_fields}


@cache
def small_data() -> Data:
    """Six drawings of each symbol after `data_processing`; not to be changed."""
    inputs = {
        "corpora": {},
        "published_split": None,
        "corpora_manifest": manifest(),
        **small_parameters(embedded={"samples_per_symbol": 6, "with_digits": False}),
    }
    return run_stage(data_processing.create_pipeline(), inputs)


def manifest() -> Data:
    content: Data = yaml.safe_load((PROJECT / "conf" / "base" / "corpora.yml").read_text())
    return content
