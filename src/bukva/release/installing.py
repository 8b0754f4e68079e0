"""The released model as a version of the registered model."""

import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
from kedro.pipeline import Pipeline

from bukva import dossier
from bukva.datasets.recogniser import RecogniserDataset
from bukva.inference.golden import check_golden_samples, write_golden
from bukva.inference.recogniser import Recogniser
from bukva.model_registry import registry
from bukva.model_registry.packaging import log_recogniser
from bukva.model_registry.registry import PackagedModel
from bukva.release.manifest import CARD, GOLDEN, ONNX, Release, read_release


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


def install(folder: Path, inference: Pipeline, alias: str) -> Installation:
    """Register a released model, and put it into production if no model is.

    Args:
        folder: With its files and their manifest.
        inference: The pipeline that is packaged, as `packaging` does.
        alias: Of the version in production.

    Raises:
        ReleaseError: If a file is not the one that the manifest names.
        ParityError: If it does not answer as it did when it was released.
        RegistryError: If the registry refuses.
    """
    release = read_release(folder)
    recogniser = Recogniser((folder / ONNX).read_bytes())
    check_golden_samples(recogniser, pd.read_parquet(folder / GOLDEN))
    known = registry.find_same(release.name, recogniser.sha256)
    version = str(known.version) if known else _register(folder, release, recogniser, inference)
    former = registry.find_version(release.name, alias)
    if former is None:
        registry.move_alias(release.name, alias, version)
    return Installation(release, version, known is None, str(former.version) if former else version)


def _register(folder: Path, release: Release, recogniser: Recogniser, inference: Pipeline) -> str:
    with TemporaryDirectory() as scratch:
        file = RecogniserDataset(filepath=f"{scratch}/{registry.RECOGNISER_FILE}")
        file.save(recogniser)
        # Under a name of its own: what is logged under the model's is a candidate for promotion.
        uri = log_recogniser(file, inference, f"{release.name}-released")
    model = PackagedModel(uri, "", recogniser.onnx_model, {})
    return registry.register(model, release.name, _tags(release), _dossier(folder, release))


def _dossier(folder: Path, release: Release) -> dict[str, bytes]:
    reports = (dossier.REFERENCE, *(path.name for path in folder.glob(f"*{dossier.FIGURE_SUFFIX}")))
    return {
        dossier.GOLDEN: write_golden(pd.read_parquet(folder / GOLDEN)),
        dossier.CARD: (folder / CARD).read_bytes(),
        dossier.RESULTS: json.dumps(release.results, ensure_ascii=False).encode(),
        **{name: (folder / name).read_bytes() for name in reports},
    }


def _tags(release: Release) -> dict[str, object]:
    """Return what promotion compares by, and where the model comes from."""
    accuracies = {key: value for key, value in release.results.items() if key.endswith("accuracy")}
    return {
        "released": True,
        "release": release.version,
        "git_revision": release.git_revision,
        "data_fingerprint": release.data_fingerprint,
        "corpora": list(release.tested_on),
        "trained_on": list(release.trained_on),
        **accuracies,
    }
