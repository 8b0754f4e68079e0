"""How a packaged pipeline is run where it serves: its nodes one after the other, and no more."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def _quiet_imports() -> Iterator[None]:
    """Let Kedro leave the logging of the application alone, where that has not set it up itself.

    Kedro reads the variable once, when it is imported, and would print each call of a node.
    """
    key, own = "KEDRO_LOGGING_CONFIG", str(Path(__file__).with_name("quiet_logging.yml"))
    is_ours = os.environ.setdefault(key, own) is own
    try:
        # MLflow warns of kedro-mlflow's class, through a filter that it sets up anew itself.
        with warnings.catch_warnings(record=True):
            yield
    finally:
        if is_ours:
            del os.environ[key]


with _quiet_imports():
    import kedro.runner
    from kedro.io import MemoryDataset
    from kedro.pipeline import Pipeline
    from kedro_mlflow.mlflow import KedroPipelineModel


class PackagedPipeline(KedroPipelineModel):  # type: ignore[misc]  # kedro-mlflow has no types
    """kedro-mlflow's pyfunc; unpickled by this name, so that the imports above come first."""


class SequentialRunner(kedro.runner.SequentialRunner):
    """Calls the functions of the nodes; Kedro's own runner costs more than the network does.

    The class is called as Kedro's is: by that name kedro-mlflow knows that it need not make another
    runner. There are no hooks, no resuming and no releasing of datasets.
    """

    def run(self, pipeline: Pipeline, catalog: Any, *_: Any, **__: Any) -> dict[str, Any]:
        """Return the outputs of a pipeline, as datasets by name."""
        known = {name: catalog[name].load() for name in pipeline.inputs()}
        for node in pipeline.nodes:
            known |= node.run({name: known[name] for name in node.inputs})
        # To find out how to copy an output, Kedro would look for libraries at every call.
        return {name: MemoryDataset(known[name], copy_mode="assign") for name in pipeline.outputs()}
