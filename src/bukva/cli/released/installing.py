"""The released models as versions of the registered ones."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pandas as pd

from bukva.cli.released.manifest import CARD, GOLDEN, ONNX, Release, read_release
from bukva.core.golden import write_golden as write_answers
from bukva.core.imaging.upscaling import encode_page
from bukva.core.task import Task
from bukva.datasets.registry import PackagedModelsDataset
from bukva.registry import package_files as dossier
from bukva.registry.models import find_version, has_files
from bukva.registry.package_files import PRODUCTION_ALIAS, name_model
from bukva.registry.packaging import Package
from bukva.registry.production import put_into_production
from bukva.registry.registry import find_same, register
from bukva.tasks.document.drawn_lines import draw_lines
from bukva.tasks.document.task import TASK as DOCUMENT
from bukva.tasks.glyph.golden import check_golden_samples, write_golden
from bukva.tasks.glyph.recogniser import Recogniser
from bukva.tasks.line.line_maker import LineMaker
from bukva.tasks.line.parameters import SynthesisParameters
from bukva.tasks.line.task import TASK as LINE

INFERENCE: Final = "bukva.pipelines.inference.pipeline.create_pipeline"
"""What is packaged with the recogniser, as the catalog's `packaged_models` has it."""

_GOLDEN_LINES: Final = 24


def _draw_documents() -> list[bytes]:
    return [encode_page(np.asarray(line.image)) for line in draw_lines(_GOLDEN_LINES, seed=1)]


def _draw_lines() -> list[bytes]:
    drawn, _ = LineMaker(SynthesisParameters()).draw(_GOLDEN_LINES, np.random.default_rng(1))
    return [encode_page(255 - ink_HW) for ink_HW in drawn]


@dataclass(frozen=True)
class Reader:
    """A task whose released model is an ONNX file alone.

    Attributes:
        task: Loads it.
        draw_golden: Draws what a service asks it before it serves.
        golden_field: Of the answers to that, what must stay the same.
    """

    task: Task
    draw_golden: Callable[[], list[bytes]]
    golden_field: str


READERS: Final[Mapping[str, Reader]] = MappingProxyType(
    {
        "document": Reader(DOCUMENT, _draw_documents, "label"),
        "line": Reader(LINE, _draw_lines, "text"),
    }
)


@dataclass(frozen=True)
class Installation:
    """What became of a released model.

    Attributes:
        release: The model.
        version: Its number in the registry.
        is_new: Whether it was not there before.
        in_production: Number of the version in production, which may be another one.
    """

    release: Release
    version: str
    is_new: bool
    in_production: str


def install(folder: Path) -> Installation:
    """Register a released model, and put it into production if none is whose files are there.

    Args:
        folder: With its files and their manifest.

    Raises:
        ReleaseError: If a file is not the one that the manifest names.
        ParityError: If it does not answer as it did when it was released.
        RegistryError: If the registry refuses.
    """
    release = read_release(folder)
    recogniser = Recogniser((folder / ONNX).read_bytes())
    check_golden_samples(recogniser, pd.read_parquet(folder / GOLDEN))
    known = find_same(release.name, recogniser.sha256)
    version = known.version if known else _register(folder, release, recogniser)
    what = f"released model {release.version}"
    in_production = _put_where_none_is(release.name, version, what)
    return Installation(release, version, known is None, in_production)


def install_reader(task: str, folder: Path) -> str:
    """Register the released model of documents or lines; put it into production as `install` does.

    Args:
        task: One of `READERS`.
        folder: With its file.

    Returns:
        What became of it, in a sentence.

    Raises:
        ModelFormatError: If the file is none of bukva's.
        RegistryError: If the registry refuses.
    """
    reader, name = READERS[task], name_model(task)
    recogniser = reader.task.load((folder / ONNX).read_bytes())
    known = find_same(name, recogniser.sha256)
    if known:
        version = known.version
    else:
        packaged = PackagedModelsDataset(model_name=f"{name}-released", inference=INFERENCE)
        golden = write_answers(recogniser, reader.draw_golden(), field=reader.golden_field)
        reports = _read_reports(folder) | {dossier.GOLDEN: golden}
        packaged.save(Package(recogniser, reports, {"released": True}))
        version = register(packaged.load()[0], name).version
    in_production = _put_where_none_is(name, version, "released model")
    how = "known" if known else "registered"
    return (
        f"Released model of {task}s, {how} as version {version}; in production is version "
        f"{in_production}."
    )


def _read_reports(folder: Path) -> dict[str, bytes]:
    named = {CARD: dossier.CARD, dossier.RESULTS: dossier.RESULTS}
    found = {folder / name: as_name for name, as_name in named.items()}
    found |= {path: path.name for path in folder.glob(f"*{dossier.FIGURE_SUFFIX}")}
    return {name: path.read_bytes() for path, name in found.items() if path.is_file()}


def _put_where_none_is(name: str, version: str, what: str) -> str:
    """Put a version into production if none is whose files are there; return which one is."""
    former = find_version(name, PRODUCTION_ALIAS)
    if former and has_files(former):
        return former.version
    lack = f"the files of version {former.version} are gone" if former else "none was in production"
    why = f"{what}, as {lack}"
    put_into_production(name, version, expected=former.version if former else "", why=why)
    return version


def _register(folder: Path, release: Release, recogniser: Recogniser) -> str:
    # Under a name of its own: what is logged under the model's is a candidate for promotion.
    packaged = PackagedModelsDataset(model_name=f"{release.name}-released", inference=INFERENCE)
    packaged.save(Package(recogniser, _dossier(folder, release), _tags(release)))
    return register(packaged.load()[0], release.name).version


def _dossier(folder: Path, release: Release) -> dict[str, bytes]:
    reports = (dossier.REFERENCE, *(path.name for path in folder.glob(f"*{dossier.FIGURE_SUFFIX}")))
    return {
        dossier.GOLDEN: write_golden(pd.read_parquet(folder / GOLDEN)),
        dossier.CARD: (folder / CARD).read_bytes(),
        dossier.RESULTS: _to_json(release.results),
        dossier.PARAMETERS: _to_json(release.parameters),
        **{name: (folder / name).read_bytes() for name in reports},
    }


def _to_json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode()


def _tags(release: Release) -> dict[str, Any]:
    """Return what promotion compares by, and where the model comes from."""
    accuracies = {
        key: value
        for key, value in release.results.items()
        if key.endswith(("accuracy", "accuracy.ci95"))
    }
    return {
        "released": True,
        "release": release.version,
        "git_revision": release.git_revision,
        "data_fingerprint": release.data_fingerprint,
        "corpora": list(release.tested_on),
        "trained_on": list(release.trained_on),
        "parameters": release.parameters,
        **accuracies,
    }
