"""What the runs of an experiment do: what they share, and what each keeps for itself."""

from functools import cached_property
from typing import Any, Final

from fsspec.core import url_to_fs
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

from bukva.datasets.storage import sha256_of
from bukva.errors import ExperimentError
from bukva.experiments.project import Project
from bukva.pipeline_registry import register_pipelines

_CHECKPOINTS: Final = "bukva.datasets.checkpoint.CheckpointDataset"
# In memory, or in the MLflow run.
_NOT_STORED: Final = (
    "MemoryDataset",
    "kedro_mlflow.io.metrics.",
    "bukva.datasets.registry.PackagedModelsDataset",
)
_ANY_FOLDER: Final = "a-run/"


class Work:
    """The pipelines of an experiment as one, in the project that they run in.

    Raises:
        ExperimentError: If a pipeline is not registered, or writes what other runs read.
    """

    def __init__(self, project: Project, pipelines: tuple[str, ...]) -> None:
        self.project = project
        self._registered = register_pipelines()
        if unknown := [name for name in pipelines if name not in self._registered]:
            message = f"Expected pipelines among {sorted(self._registered)}, got {unknown}."
            raise ExperimentError(message)
        self._pipeline = sum((self._registered[name] for name in pipelines), start=Pipeline([]))
        self._shared, self._own = project.catalog(), project.catalog(_ANY_FOLDER)
        if shared := [name for name in self._pipeline.all_outputs() if not self._is_own(name)]:
            message = (
                f"Expected pipelines that write nothing but the results of their run, got "
                f"{list(pipelines)}, which write {sorted(shared)}. Run those once, before."
            )
            raise ExperimentError(message)

    @cached_property
    def groups(self) -> set[str]:
        """Names of the parameter groups that are read."""
        names = (name.partition(":") for name in self._pipeline.inputs())
        return {name.split(".")[0] for kind, _, name in names if kind == "params"}

    @cached_property
    def inputs(self) -> dict[str, str | None]:
        """The sha256 of each file that all runs read, by dataset; None where there is none."""
        return {name: _fingerprint(self._shared, name) for name in self._input_names()}

    def check_inputs(self) -> None:
        """Return if there is everything that the runs read.

        Raises:
            ExperimentError: If not; names what is missing and the commands that make it.
        """
        missing = [name for name, digest in self.inputs.items() if digest is None]
        if not missing:
            return
        places = [f"{name} ({_describe(self._shared, name)['filepath']})" for name in missing]
        commands = [
            f"kedro run --pipeline={name} --env={self.project.env}"
            for name, pipeline in self._registered.items()
            if name != "__default__" and pipeline.all_outputs() & set(missing)
        ]
        message = f"Expected what all runs read, found no {', '.join(places)}."
        raise ExperimentError(f"{message} Run: {'; '.join(commands)}.")

    def lend(self, run_folder: str) -> None:
        """Copy into a run's folder what its pipelines look for there but do not make."""
        own = self.project.catalog(run_folder)
        for name in self._input_names():
            if self._is_own(name):
                own.save(name, self._shared.load(name))

    def clear(self, run_folder: str) -> None:
        """Remove all that a run has kept in its folder."""
        for place in ("root", "local"):
            filesystem, path = url_to_fs(f"{self.project.storage(place)}/{run_folder}")
            if filesystem.exists(path):
                filesystem.rm(path, recursive=True)

    def _input_names(self) -> list[str]:
        names = sorted(self._pipeline.inputs())
        described = {name: _describe(self._shared, name) for name in names}
        return [
            name
            for name, config in described.items()
            if "filepath" in config and config["type"] != _CHECKPOINTS
        ]

    def _is_own(self, name: str) -> bool:
        """Return whether a dataset is in a run's folder, in its MLflow run or in memory."""
        config = _describe(self._own, name)
        is_stored = not config["type"].startswith(_NOT_STORED)
        return not is_stored or f"/{_ANY_FOLDER}" in config.get("filepath", "")


def _describe(catalog: DataCatalog, name: str) -> dict[str, Any]:
    return dict(catalog.config_resolver.resolve_pattern(name))


def _fingerprint(catalog: DataCatalog, name: str) -> str | None:
    filesystem, path = url_to_fs(_describe(catalog, name)["filepath"])
    return sha256_of(filesystem, path) if filesystem.exists(path) else None
