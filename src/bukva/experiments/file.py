"""The file of experiments: what may stand in it, and the runs that it asks for."""

from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field

from bukva.errors import ExperimentError
from bukva.parameters import flatten
from bukva.parameters.group import Group

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
"""What can be a folder, a key of S3 and a run of MLflow."""

TRAINING_STAGES: Final = ("mnist_pretraining", "finetuning")


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


def read_yaml(file: Path) -> dict[str, Any]:
    """Return the content of a file of experiments, unchecked.

    Raises:
        ExperimentError: If it cannot be read or is not a mapping.
    """
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        message = f"Expected a YAML file of experiments, as in conf/experiments/, got: {error}"
        raise ExperimentError(message) from error
    if not isinstance(content, dict):
        message = f"Expected {file} to map names to values, got {type(content).__name__}."
        raise ExperimentError(message)
    return content


def expand(
    content: dict[str, Any], corpora: list[str], stages: Sequence[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give each run that a file asks for; what is malformed is passed over.

    Args:
        content: As `read_yaml` gives it.
        corpora: Names that `finetuning.corpora` has in the environment.
        stages: Those of `TRAINING_STAGES` whose parameters are read.

    Yields:
        The name of the run, and what differs from the environment by dotted name.
    """
    defaults, grid = (_mapping(content.get(key)) for key in ("defaults", "grid"))
    choices = [value if isinstance(value, list) else [value] for value in grid.values()]
    entries = content.get("runs")
    for entry in entries if isinstance(entries, list) else []:
        for values in product(*choices):
            chosen = dict(zip(grid, values, strict=True))
            parts = (defaults, _mapping(entry), chosen)
            flat = [_flatten_overrides(part, corpora, stages) for part in parts]
            yield _name_run(_mapping(entry), chosen), flat[0] | flat[1] | flat[2]


def _mapping(value: Any) -> dict[str, Any]:
    return {str(key): item for key, item in value.items()} if isinstance(value, dict) else {}


def _name_run(entry: dict[str, Any], chosen: dict[str, Any]) -> str:
    """Return `full-seed_2` for the run `full` where the grid says `finetuning.seed: 2`."""
    suffixes = (f"-{key.rpartition('.')[2]}_{value}" for key, value in chosen.items())
    return "".join([str(entry.get("name")), *suffixes])


def _flatten_overrides(
    part: dict[str, Any], corpora: list[str], stages: Sequence[str]
) -> dict[str, Any]:
    own = set(RunEntry.model_fields)
    flat = flatten({key: value for key, value in part.items() if key not in own})
    weights = _mapping(part.get("corpora"))
    if weights:
        names = dict.fromkeys([*corpora, *weights])
        flat |= {f"finetuning.corpora.{name}": weights.get(name, 0.0) for name in names}
    if "network" in part:
        flat |= {f"{stage}.network": part["network"] for stage in stages}
    return flat
