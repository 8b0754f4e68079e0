"""The released model as a version of the registered model."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from bukva.cli.released.manifest import CARD, GOLDEN, ONNX, Release, read_release
from bukva.datasets.registry import PackagedModelsDataset
from bukva.registry import package_files as dossier
from bukva.registry.models import find_version, has_files
from bukva.registry.package_files import PRODUCTION_ALIAS
from bukva.registry.packaging import Package
from bukva.registry.production import put_into_production
from bukva.registry.registry import find_same, register
from bukva.tasks.glyph.golden import check_golden_samples, write_golden
from bukva.tasks.glyph.recogniser import Recogniser

INFERENCE: Final = "bukva.pipelines.inference.pipeline.create_pipeline"
"""What is packaged with the recogniser, as the catalog's `packaged_models` has it."""


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
    former = find_version(release.name, PRODUCTION_ALIAS)
    if former and has_files(former):
        return Installation(release, version, known is None, former.version)
    lack = f"the files of version {former.version} are gone" if former else "none was in production"
    why = f"released model {release.version}, as {lack}"
    put_into_production(release.name, version, expected=former.version if former else "", why=why)
    return Installation(release, version, known is None, version)


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
