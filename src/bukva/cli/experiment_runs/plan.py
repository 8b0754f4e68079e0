"""From the file of experiments to runs whose parameters were checked."""

import hashlib
import json
import os
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Final

import yaml
from fsspec.core import url_to_fs
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bukva.configuration import open_config
from bukva.core.parameters import Group, flatten, nest
from bukva.core.tuning.parameters import SharingParameters
from bukva.datasets.storage import Files
from bukva.errors import ExperimentError
from bukva.pipeline_registry import register_pipelines
from bukva.pipelines.parameters import Parameters, describe_fault

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
"""What can be a folder, a key of S3 and a run of MLflow."""

TRAINING_STAGES: Final = ("mnist_pretraining", "finetuning")
RUN_FOLDER: Final = "BUKVA_RUN_FOLDER"
"""The variable in which `conf/base/globals.yml` looks for the folder of a run."""

_CHECKPOINTS: Final = "bukva.datasets.models.CheckpointDataset"
# In memory, or in the MLflow run.
_NOT_STORED: Final = (
    "MemoryDataset",
    "bukva.datasets.tracked.EpochMetricsDataset",
    "bukva.datasets.tracked.TrackedMetricsDataset",
    "bukva.datasets.registry.PackagedModelsDataset",
)
_ANY_FOLDER: Final = "a-run/"
_environment: Final = threading.Lock()


class Overrides(BaseModel):
    """What differs from the environment's parameters; any other key is a parameter's dotted name.

    Attributes:
        corpora: Weights of the corpora for `finetuning`; one that is not named is not used.
        network: Architecture of both training stages.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    corpora: dict[str, float] | None = None
    network: str | None = None


class RunEntry(Overrides):
    """One entry under `runs`: a name, and what differs."""

    name: Name


class ExperimentFile(Group):
    """The file as it is written.

    Attributes:
        experiment: Name of the MLflow experiment, and of the folder of the results.
        env: Folder of `conf/` in which the runs take place.
        pipelines: Registered pipelines that make up each run.
        defaults: What all runs have in common.
        grid: Values by name: each run is done once for each combination of them.
        runs: What is compared, the reference first.
    """

    experiment: Name
    env: str = "base"
    pipelines: Annotated[tuple[str, ...], Field(min_length=1)] = ("finetuning", "evaluation")
    defaults: Overrides = Overrides()
    grid: dict[str, Annotated[list[bool | int | float | Name], Field(min_length=1)]] = Field(
        default_factory=dict
    )
    runs: Annotated[tuple[RunEntry, ...], Field(min_length=1)]


def expand(
    content: dict[str, Any], corpora: list[str], stages: Sequence[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give each run that a file asks for; what is malformed is passed over.

    Args:
        content: Of the file, unchecked.
        corpora: Names that `finetuning.corpora` has in the environment.
        stages: Those of `TRAINING_STAGES` whose parameters are read.

    Yields:
        The name of the run, and what differs from the environment by dotted name.
    """
    defaults, grid = (_mapping(content.get(key)) for key in ("defaults", "grid"))
    choices = [value if isinstance(value, list) else [value] for value in grid.values()]
    entries = content.get("runs")
    for entry in map(_mapping, entries if isinstance(entries, list) else []):
        for values in product(*choices):
            chosen = dict(zip(grid, values, strict=True))
            overrides: dict[str, Any] = {}
            for part in (defaults, entry, chosen):
                overrides |= _flatten_overrides(part, corpora, stages)
            # `full-seed_2` for the run `full` where the grid says `finetuning.seed: 2`.
            suffixes = (f"-{key.rpartition('.')[2]}_{value}" for key, value in chosen.items())
            yield "".join([str(entry.get("name")), *suffixes]), overrides


def _mapping(value: Any) -> dict[str, Any]:
    return {str(key): item for key, item in value.items()} if isinstance(value, dict) else {}


def _flatten_overrides(
    part: dict[str, Any], corpora: list[str], stages: Sequence[str]
) -> dict[str, Any]:
    flat = flatten({key: part[key] for key in part if key not in RunEntry.model_fields})
    if weights := _mapping(part.get("corpora")):
        names = dict.fromkeys([*corpora, *weights])
        flat |= {f"finetuning.corpora.{name}": weights.get(name, 0.0) for name in names}
    if "network" in part:
        flat |= {f"{stage}.network": part["network"] for stage in stages}
    return flat


class Project:
    """The project in one environment, and the pipelines of a run as one.

    Other than a Kedro session, this opens no MLflow and runs no hook.

    Args:
        root: Of the project; paths of the catalog start at it.
        env: Folder of `conf/`.
        pipelines: Names of the registered pipelines that make up a run.

    Raises:
        ExperimentError: If a pipeline is not registered, or writes what other runs read.
    """

    def __init__(self, root: Path, env: str, pipelines: tuple[str, ...]) -> None:
        self.root, self.env, self.pipelines = root, env, pipelines
        if not (root / "conf" / env).is_dir():
            raise ExperimentError(f"env: Expected a folder of {root / 'conf'}, got {env!r}")
        self._registered = register_pipelines()
        if unknown := [name for name in pipelines if name not in self._registered]:
            message = f"Expected pipelines among {sorted(self._registered)}, got {unknown}."
            raise ExperimentError(message)
        self._pipeline = sum((self._registered[name] for name in pipelines), start=Pipeline([]))
        self._shared, self._own = self.catalog(), self.catalog(_ANY_FOLDER)
        if shared := [name for name in self._pipeline.all_outputs() if not self._is_own(name)]:
            message = (
                f"Expected pipelines that write nothing but the results of their run, got "
                f"{list(pipelines)}, which write {sorted(shared)}. Run those once, before."
            )
            raise ExperimentError(message)
        names = (name.partition(":") for name in self._pipeline.inputs())
        self.groups = {name.split(".")[0] for kind, _, name in names if kind == "params"}

    def parameters(self, overrides: dict[str, Any]) -> dict[str, Any]:
        """Return the parameters of a run as Kedro reads them, unchecked.

        Args:
            overrides: Values by dotted name.
        """
        return self._load("parameters", runtime_params=nest(overrides))

    def sharing(self, workers: int) -> SharingParameters:
        """Return how so many workers share the runs: as those of `tuning` share its trials."""
        tuning = self.parameters({})["tuning"]
        known = {name: tuning[name] for name in SharingParameters.model_fields if name in tuning}
        return SharingParameters.model_validate(known | {"workers": workers})

    def catalog(self, run_folder: str = "") -> DataCatalog:
        """Return the catalog of ordinary runs, or of one that has a folder of its own.

        Args:
            run_folder: Ends with a slash where it is given.
        """
        return DataCatalog.from_config(self._load("catalog", run_folder=run_folder))

    def storage(self, place: str) -> str:
        """Return the address that `storage` of the globals has under `root` or `local`."""
        return str(self._load("globals")["storage"][place])

    def _load(
        self, key: str, *, run_folder: str = "", runtime_params: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        # Made anew each time: the resolvers of all loaders are those of the last one made.
        with _environment, variable(RUN_FOLDER, run_folder):
            return dict(open_config(self.root, self.env, runtime_params)[key])

    @cached_property
    def inputs(self) -> dict[str, str | None]:
        """The sha256 of each file that all runs read, by dataset; None where there is none."""
        digests: dict[str, str | None] = {}
        for name in self._input_names():
            file = Files(_describe(self._shared, name)["filepath"])
            digests[name] = file.sha256() if file.exists() else None
        return digests

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
            f"kedro run --pipeline={name} --env={self.env}"
            for name, pipeline in self._registered.items()
            if name != "__default__" and pipeline.all_outputs() & set(missing)
        ]
        message = f"Expected what all runs read, found no {', '.join(places)}."
        raise ExperimentError(f"{message} Run: {'; '.join(commands)}.")

    def lend(self, run_folder: str) -> None:
        """Copy into a run's folder what its pipelines look for there but do not make."""
        own = self.catalog(run_folder)
        for name in self._input_names():
            if self._is_own(name):
                own.save(name, self._shared.load(name))

    def clear(self, run_folder: str) -> None:
        """Remove all that a run has kept in its folder."""
        for place in ("root", "local"):
            filesystem, path = url_to_fs(f"{self.storage(place)}/{run_folder}")
            if filesystem.exists(path):
                filesystem.rm(path, recursive=True)

    def _input_names(self) -> list[str]:
        described = {name: _describe(self._shared, name) for name in self._pipeline.inputs()}
        return sorted(
            name
            for name, config in described.items()
            if "filepath" in config and config["type"] != _CHECKPOINTS
        )

    def _is_own(self, name: str) -> bool:
        """Return whether a dataset is in a run's folder, in its MLflow run or in memory."""
        config = _describe(self._own, name)
        is_stored = not config["type"].startswith(_NOT_STORED)
        return not is_stored or f"/{_ANY_FOLDER}" in config.get("filepath", "")


def _describe(catalog: DataCatalog, name: str) -> dict[str, Any]:
    return dict(catalog.config_resolver.resolve_pattern(name))


@contextmanager
def variable(name: str, value: str) -> Iterator[None]:
    """Set a variable of the environment for as long as the block lasts."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


@dataclass(frozen=True)
class Run:
    """One run of an experiment.

    Attributes:
        name: Unique in the experiment; its folder and its run in MLflow have it too.
        overrides: What differs from the environment's parameters, by dotted name.
        parameters: Every value that the run's pipelines read, by dotted name.
    """

    name: str
    overrides: dict[str, Any]
    parameters: dict[str, Any]


@dataclass(frozen=True)
class Experiment:
    """A file of experiments in which nothing is wrong."""

    file: Path
    name: str
    project: Project
    runs: tuple[Run, ...]

    def fingerprint(self, run: Run) -> str:
        """Return a sha256 over all that decides the result of a run, but for the code."""
        parts = {
            "pipelines": self.project.pipelines,
            "parameters": run.parameters,
            "inputs": self.project.inputs,
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    @cached_property
    def by_key(self) -> dict[tuple[str, str], Run]:
        """The runs by name and fingerprint."""
        return {(run.name, self.fingerprint(run)): run for run in self.runs}

    def run_folder(self, run: Run) -> str:
        """Return where a run keeps its results, seen from the storage; ends with a slash."""
        return f"experiments/{self.name}/{run.name}/"

    @cached_property
    def folder(self) -> Path:
        """The folder on the local disk with the study, the logs and the comparison."""
        local = Path(self.project.storage("local"))
        return self.project.root / local / "experiments" / self.name


def read_experiment(file: Path, root: Path) -> Experiment:
    """Read a file of experiments and check the parameters of every run.

    Args:
        file: YAML, as `ExperimentFile` describes it.
        root: The project's root.

    Raises:
        ExperimentError: If anything is wrong with it; the message lists all faults.
    """
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        message = f"Expected a YAML file of experiments, as in conf/experiments/, got: {error}"
        raise ExperimentError(message) from error
    if not isinstance(content, dict):
        message = f"Expected {file} to map names to values, got {type(content).__name__}."
        raise ExperimentError(message)
    faults: list[str] = []
    runs: list[Run] = []
    try:
        ExperimentFile.model_validate(content)
    except ValidationError as error:
        faults += [describe_fault(fault) for fault in error.errors()]
    try:
        defaults = {name: field.default for name, field in ExperimentFile.model_fields.items()}
        pipelines = content.get("pipelines", defaults["pipelines"])
        names = tuple(pipelines) if isinstance(pipelines, list | tuple) else ()
        project = Project(root, str(content.get("env", defaults["env"])), names)
        for run, found in _plan_runs(content, project):
            runs.append(run)
            faults += [f"  - runs.{run.name}.{fault}" for fault in found]
    except ExperimentError as error:
        faults.append(f"  - {error}")
    counts = Counter(run.name for run in runs)
    repeated = [name for name, count in counts.items() if count > 1]
    faults += [f"  - runs.{name}: Expected each name once" for name in repeated]
    if faults:
        raise ExperimentError("\n".join([f"{file} does not validate ({len(faults)}):", *faults]))
    return Experiment(file, content["experiment"], project, tuple(runs))


def _plan_runs(content: dict[str, Any], project: Project) -> Iterator[tuple[Run, list[str]]]:
    """Give the runs of what is well-formed in a file, each with what is wrong with its values."""
    corpora = list(project.parameters({})["finetuning"]["corpora"])
    stages = [stage for stage in TRAINING_STAGES if stage in project.groups]
    unread = Parameters.model_fields.keys() - project.groups
    for name, overrides in expand(content, corpora, stages):
        faults = [
            f"{key}: No pipeline of this file reads it"
            for key in overrides
            if key.split(".")[0] in unread
        ]
        values: dict[str, Any] = {}
        try:
            parameters = Parameters.model_validate(project.parameters(overrides))
            values = flatten(parameters.model_dump(mode="json", include=project.groups))
        except ValidationError as error:
            faults += [describe_fault(fault)[4:] for fault in error.errors()]
        yield Run(name, overrides, values), faults
