"""The manifest of a released model: what it is, what it was made of, and the sums of its files."""

import hashlib
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bukva.core.corpora.terms import Terms
from bukva.errors import ReleaseError

RELEASED: Final = Path(str(files("bukva_released")))
"""The folder of the model that comes with the project."""

MANIFEST: Final = "manifest.json"
CARD: Final = "MODEL_CARD.md"
ONNX: Final = "model.onnx"
WEIGHTS: Final = "model.safetensors"
GOLDEN: Final = "golden_samples.parquet"
MAX_BYTES: Final = 4_000_000


class ReleasedFile(BaseModel):
    """What a file must be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size_bytes: int


class Release(BaseModel):
    """A released model, without its files.

    Attributes:
        name: Of the registered model.
        version: The day on which it was made, ISO 8601.
        note: What else has to be said of it.
        licence: Of the weights.
        git_revision: The commit at which it was trained.
        data_fingerprint: sha256 of what it was trained on.
        weights: How many it has.
        trained_on: Terms of the corpora that it was trained on, by name.
        tested_on: Names of the corpora that its results are of.
        parameters: Groups of parameters of its training.
        results: Accuracies with their intervals and counts.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    version: str
    note: str
    licence: str
    git_revision: str
    data_fingerprint: str
    weights: int
    trained_on: dict[str, Terms]
    tested_on: tuple[str, ...]
    parameters: dict[str, Any]
    results: dict[str, Any]

    @property
    def unseen(self) -> list[str]:
        """Corpora of which it saw nothing before the test."""
        return sorted(set(self.tested_on) - set(self.trained_on))


class Manifest(BaseModel):
    """A release and its files by name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    release: Release
    files: dict[str, ReleasedFile]


def write_manifest(folder: Path, release: Release, names: Iterable[str]) -> None:
    """Write the manifest beside the files of a release.

    Raises:
        ReleaseError: If all files together are larger than a release may be.
    """
    described = {name: _describe(folder / name) for name in sorted(names)}
    content = Manifest(release=release, files=described).model_dump_json(indent=2) + "\n"
    total = len(content.encode()) + sum(file.size_bytes for file in described.values())
    if total > MAX_BYTES:
        message = f"Expected a release of at most {MAX_BYTES:,} bytes, got {total:,}"
        raise ReleaseError(f"{message}. Train a smaller network: finetuning.width.")
    (folder / MANIFEST).write_text(content, encoding="utf-8")


def read_release(folder: Path) -> Release:
    """Return what the manifest in a folder says, once each file was found to be as it says.

    Raises:
        ReleaseError: If the manifest is missing or broken, or any file is not the one that it
            names; lists all of those with both sums.
    """
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except (OSError, ValidationError) as error:
        message = f"Expected the manifest of a released model in {folder / MANIFEST}, got: {error}"
        raise ReleaseError(message) from error
    faults = [
        f"  {name}: expected sha256 {expected.sha256}, got {found}"
        for name, expected in manifest.files.items()
        if (found := _sha256_of(folder / name)) != expected.sha256
    ]
    if faults:
        listing = "\n".join(faults)
        message = f"Expected the files in {folder} to be those of {MANIFEST}:\n{listing}"
        raise ReleaseError(f"{message}\nGet them again: git checkout, or install the package anew.")
    return manifest.release


def _describe(path: Path) -> ReleasedFile:
    return ReleasedFile(sha256=_sha256_of(path), size_bytes=path.stat().st_size)


def _sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "no file"
