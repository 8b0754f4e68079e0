"""From the file of experiments to runs whose parameters were checked."""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bukva.errors import ExperimentError
from bukva.experiments.file import TRAINING_STAGES, ExperimentFile, expand, read_yaml
from bukva.experiments.project import Project
from bukva.experiments.work import Work
from bukva.parameters import Parameters, describe_fault, flatten


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
    pipelines: tuple[str, ...]
    runs: tuple[Run, ...]
    work: Work

    def fingerprint(self, run: Run) -> str:
        """Return a sha256 over all that decides the result of a run, but for the code."""
        parts = {
            "pipelines": self.pipelines,
            "parameters": run.parameters,
            "inputs": self.work.inputs,
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def run_folder(self, run: Run) -> str:
        """Return where a run keeps its results, seen from the storage; ends with a slash."""
        return f"experiments/{self.name}/{run.name}/"

    def folder(self) -> Path:
        """Return the folder on the local disk with the records, the logs and the comparison."""
        local = Path(self.work.project.storage("local"))
        return self.work.project.root / local / "experiments" / self.name


def read_experiment(file: Path, root: Path) -> Experiment:
    """Read a file of experiments and check the parameters of every run.

    Args:
        file: YAML, as `ExperimentFile` describes it.
        root: The project's root.

    Raises:
        ExperimentError: If anything is wrong with it; the message lists all faults.
    """
    content = read_yaml(file)
    faults = _structure_faults(content)
    try:
        work = _open_work(content, root)
    except ExperimentError as error:
        raise _refusal(file, [*faults, f"  - {error}"]) from error
    runs, found = _plan_runs(content, work)
    if faults or found:
        raise _refusal(file, faults + found)
    header = ExperimentFile.model_validate(content)
    return Experiment(file, header.experiment, header.pipelines, tuple(runs), work)


def _structure_faults(content: dict[str, Any]) -> list[str]:
    try:
        ExperimentFile.model_validate(content)
    except ValidationError as error:
        return [describe_fault(fault) for fault in error.errors()]
    return []


def _refusal(file: Path, faults: list[str]) -> ExperimentError:
    return ExperimentError("\n".join([f"{file} does not validate ({len(faults)}):", *faults]))


def _open_work(content: dict[str, Any], root: Path) -> Work:
    fields = ExperimentFile.model_fields
    env = str(content.get("env", fields["env"].default))
    if not (root / "conf" / env).is_dir():
        raise ExperimentError(f"env: Expected a folder of {root / 'conf'}, got {env!r}")
    pipelines = content.get("pipelines", fields["pipelines"].default)
    return Work(Project(root, env), tuple(pipelines if isinstance(pipelines, list | tuple) else ()))


def _plan_runs(content: dict[str, Any], work: Work) -> tuple[list[Run], list[str]]:
    """Return the runs of what is well-formed in a file, and what is wrong with their values."""
    corpora = list(work.project.parameters({})["finetuning"]["corpora"])
    runs: list[Run] = []
    faults: list[str] = []
    stages = [stage for stage in TRAINING_STAGES if stage in work.groups]
    for name, overrides in expand(content, corpora, stages):
        parameters, found = _check(overrides, work)
        runs.append(Run(name, overrides, parameters))
        faults += [f"  - runs.{name}.{fault}" for fault in found]
    names = Counter(run.name for run in runs)
    repeated = [name for name, count in names.items() if count > 1]
    return runs, faults + [f"  - runs.{name}: Expected each name once" for name in repeated]


def _check(overrides: dict[str, Any], work: Work) -> tuple[dict[str, Any], list[str]]:
    """Return the parameters that the pipelines read, and what is wrong with them."""
    unread = Parameters.model_fields.keys() - work.groups
    faults = [
        f"{name}: No pipeline of this file reads it"
        for name in overrides
        if name.split(".")[0] in unread
    ]
    try:
        parameters = Parameters.model_validate(work.project.parameters(overrides))
    except ValidationError as error:
        return {}, [*faults, *(describe_fault(fault)[4:] for fault in error.errors())]
    values = parameters.model_dump(mode="json", include=work.groups)
    return flatten(values), faults
