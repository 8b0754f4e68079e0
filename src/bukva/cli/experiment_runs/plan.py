"""From the file of experiments to runs whose parameters were checked."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args

import yaml
from fsspec.core import url_to_fs
from kedro import pipeline as kedro
from kedro.io import DataCatalog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bukva.configuration import open_config
from bukva.core.parameters import Group, flatten, nest
from bukva.datasets.storage import Files
from bukva.errors import ExperimentError
from bukva.pipeline_registry import register_pipelines
from bukva.pipelines.parameters import Parameters, describe_fault

# What can be a folder, a key of S3 and a run of MLflow.
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
# Those that write nothing but the results of their run.
Pipeline = Literal["mnist_pretraining", "finetuning", "evaluation", "packaging"]

_USUAL: Final[tuple[Pipeline, ...]] = ("finetuning", "evaluation")
_STAGES: Final = ("mnist_pretraining", "finetuning")


class RunEntry(BaseModel):
    """One entry under `runs`: its name, and parameters."""

    model_config = ConfigDict(extra="allow")

    name: Name


class ExperimentFile(Group):
    """The file as it is written; `python -m bukva experiments --help` says what its keys mean."""

    experiment: Name
    env: str = "base"
    pipelines: Annotated[tuple[Pipeline, ...], Field(min_length=1)] = _USUAL
    defaults: dict[str, Any] = Field(default_factory=dict)
    grid: dict[str, Annotated[list[bool | int | float | Name], Field(min_length=1)]] = Field(
        default_factory=dict
    )
    runs: Annotated[tuple[RunEntry, ...], Field(min_length=1)]


class Project:
    """The project in one environment, and the pipelines of a run.

    Other than a Kedro session, this opens no MLflow and runs no hook.

    Args:
        root: Of the project; paths of the catalog start at it.
        env: Folder of `conf/`.
        pipelines: Names of the registered pipelines that make up a run.

    Raises:
        ExperimentError: If there is no such environment.
    """

    def __init__(self, root: Path, env: str, pipelines: Sequence[str]) -> None:
        self.root, self.env, self.pipelines = root, env, list(pipelines)
        if not (root / "conf" / env).is_dir():
            raise ExperimentError(f"env: Expected a folder of {root / 'conf'}, got {env!r}")
        self._registered = register_pipelines()
        inputs = sum((self._registered[name] for name in pipelines), kedro.Pipeline([])).inputs()
        self.groups = {name.split(":")[1] for name in inputs if name.startswith("params:")}
        # Looked for in a run's own folder, where the run does not make them.
        self._lent = sorted(name for name in inputs if name.endswith(".model"))
        self.storage: dict[str, str] = open_config(root, env)["globals"]["storage"]
        self.ordinary = self.parameters({})
        self._shared = self.catalog()

    def parameters(self, overrides: dict[str, Any]) -> dict[str, Any]:
        """Return the parameters as Kedro reads them, unchecked, with values by dotted name."""
        return open_config(self.root, self.env, nest(overrides))["parameters"]

    def catalog(self, run_folder: str = "") -> DataCatalog:
        """Return the catalog of ordinary runs, or of one whose results are in such a folder."""
        loader = open_config(self.root, self.env)
        loader["globals"] = loader["globals"] | {"storage": self.storage | {"run": run_folder}}
        return DataCatalog.from_config(loader["catalog"])

    @cached_property
    def inputs(self) -> dict[str, str | None]:
        """The sha256 of each file that all runs read, by dataset; None where there is none."""
        digests: dict[str, str | None] = {}
        for name in ("sample_table", "sample_images", *self._lent):
            file = Files(self._shared.config_resolver.resolve_pattern(name)["filepath"])
            digests[name] = file.sha256() if file.exists() else None
        return digests

    def check_inputs(self) -> None:
        """Return if there is everything that the runs read.

        Raises:
            ExperimentError: If not; names what is missing and the commands that make it.
        """
        missing = {name for name, digest in self.inputs.items() if digest is None}
        commands = [
            f"kedro run --pipeline={name} --env={self.env}"
            for name, pipeline in self._registered.items()
            if name != "__default__" and pipeline.all_outputs() & missing
        ]
        if missing:
            message = f"Expected what all runs read, found no {', '.join(sorted(missing))}"
            place = f"{self.storage['root']} and {self.storage['local']}"
            raise ExperimentError(f"{message} in {place}. Run: {'; '.join(commands)}.")

    def lend(self, run_folder: str) -> None:
        """Copy into a run's folder what its pipelines look for there but do not make."""
        own = self.catalog(run_folder)
        for name in self._lent:
            own.save(name, self._shared.load(name))

    def clear(self, run_folder: str) -> None:
        """Remove all that a run has kept in its folder."""
        for place in ("root", "local"):
            filesystem, path = url_to_fs(f"{self.storage[place]}/{run_folder}")
            if filesystem.exists(path):
                filesystem.rm(path, recursive=True)


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
        parts = [self.project.pipelines, run.parameters, self.project.inputs]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def run_folder(self, run: Run) -> str:
        """Return where a run keeps its results, seen from the storage; ends with a slash."""
        return f"experiments/{self.name}/{run.name}/"

    @cached_property
    def folder(self) -> Path:
        """The folder on the local disk with the records, the logs and the comparison."""
        return self.project.root / self.project.storage["local"] / "experiments" / self.name


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
    # What is well-formed is checked too where something else is not: all faults are told at once.
    given = content.get("pipelines")
    names = [name for name in get_args(Pipeline) if isinstance(given, list) and name in given]
    try:
        project = Project(root, str(content.get("env", "base")), names or _USUAL)
        for name, overrides in expand(content, project):
            run, found = _check(name, overrides, project)
            runs.append(run)
            faults += [f"  - runs.{name}.{fault}" for fault in found]
    except ExperimentError as error:
        faults.append(f"  - {error}")
    counts = Counter(run.name for run in runs)
    faults += [f"  - runs.{name}: Expected each name once" for name in counts if counts[name] > 1]
    if faults:
        raise ExperimentError("\n".join([f"{file} does not validate ({len(faults)}):", *faults]))
    return Experiment(file, content["experiment"], project, tuple(runs))


def _check(name: str, overrides: dict[str, Any], project: Project) -> tuple[Run, list[str]]:
    """Return a run, and what is wrong with its values."""
    unread = Parameters.model_fields.keys() - project.groups
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
    return Run(name, overrides, values), faults


def expand(content: dict[str, Any], project: Project) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the name of each run that a file asks for, and what differs from the environment.

    What is malformed is passed over.
    """
    defaults, grid = (_mapping(content.get(key)) for key in ("defaults", "grid"))
    choices = [value if isinstance(value, list) else [value] for value in grid.values()]
    entries = content.get("runs")
    for entry in map(_mapping, entries if isinstance(entries, list) else []):
        for values in product(*choices):
            chosen = dict(zip(grid, values, strict=True))
            overrides: dict[str, Any] = {}
            for part in (defaults, entry, chosen):
                overrides |= _flatten_overrides(part, project)
            # `full-seed_2` for the run `full` where the grid says `finetuning.seed: 2`.
            suffixes = (f"-{key.rpartition('.')[2]}_{value}" for key, value in chosen.items())
            yield "".join([str(entry.get("name")), *suffixes]), overrides


def _mapping(value: Any) -> dict[str, Any]:
    return {str(key): item for key, item in value.items()} if isinstance(value, dict) else {}


def _flatten_overrides(part: dict[str, Any], project: Project) -> dict[str, Any]:
    """Return values by dotted name, the short forms written out."""
    given = dict(part)
    given.pop("name", None)
    if "corpora" in given:
        weights = given.pop("corpora")
        if isinstance(weights, dict):
            # One that is not named is not used.
            weights = dict.fromkeys(project.ordinary["finetuning"]["corpora"], 0.0) | weights
        given["finetuning.corpora"] = weights
    if "network" in given:
        network = given.pop("network")
        given |= {f"{stage}.network": network for stage in _STAGES if stage in project.groups}
    return flatten(given)
