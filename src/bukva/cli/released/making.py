"""From a finished run to a released model.

Shapes: N samples, H x W pixels.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pandas as pd

from bukva.cli.released.card import write_card
from bukva.cli.released.manifest import CARD, GOLDEN, ONNX, WEIGHTS, Release, write_manifest
from bukva.core.arrays import UInt8Array
from bukva.core.corpora.terms import Terms, require_releasable
from bukva.datasets.models import TrainedModelDataset
from bukva.errors import ReleaseError
from bukva.tasks.glyph.golden import golden_samples
from bukva.tasks.glyph.parity import check_parity
from bukva.tasks.glyph.recogniser import Recogniser
from bukva.tasks.glyph.trained import TrainedModel

# The strictest of the corpora's: CC BY-SA asks that what is adapted carries it on. Whether weights
# are an adaptation is disputed; to carry it on harms nobody.
LICENCE: Final = "CC BY-SA 4.0"
# Images of these only are handed on: a program of ours draws them.
_GOLDEN_CORPUS: Final = "strokes"


@dataclass(frozen=True)
class FinishedRun:
    """What the main job left behind.

    Attributes:
        model: The trained network.
        recogniser: The packaged one.
        results: Of `evaluation`.
        table: The sample table.
        images_NHW: uint8 images, row-aligned with it.
        reports: Files for the dossier of the packaged model, by name: reference and figures.
    """

    model: TrainedModel
    recogniser: Recogniser
    results: dict[str, Any]
    table: pd.DataFrame
    images_NHW: UInt8Array
    reports: dict[str, bytes]


def describe_release(
    run: FinishedRun,
    terms: Mapping[str, Terms],
    *,
    name: str,
    version: str,
    git_revision: str,
    note: str,
) -> Release:
    """Return what the manifest will say of a run's model.

    Raises:
        TermsError: If the terms of what it was trained on do not allow to release it.
        ReleaseError: If evaluation or packaging were of another model.
    """
    _check_one_model(run)
    tests = run.table[run.table["split"].eq("test")]
    return Release(
        name=name,
        version=version,
        note=note,
        licence=LICENCE,
        git_revision=git_revision,
        data_fingerprint=run.model.spec.data_fingerprint,
        weights=sum(weight.size for weight in run.model.weights.values()),
        trained_on={
            corpus: _plain(item)
            for corpus, item in require_releasable(run.model.spec.corpora, terms).items()
        },
        tested_on=tuple(sorted(tests["corpus"].unique())),
        # Those that it was trained with; what `conf` says now may differ.
        parameters=run.model.spec.parameters,
        results={
            key: value
            for key, value in run.results.items()
            if not key.startswith(("seconds.", "model."))
        },
    )


def make_release(run: FinishedRun, release: Release, folder: Path, *, tolerance: float) -> None:
    """Write a run's model into a folder, as ONNX and safetensors, with samples, card and reports.

    Nothing is written unless all of it can be.

    Args:
        run: What the model is taken from.
        release: What the manifest says of it.
        folder: Whose files are replaced.
        tolerance: Largest difference in probability between torch and ONNX on any test image.

    Raises:
        ParityError: If they differ by more.
        ReleaseError: If it is too large, or there are no drawings to test it by.
    """
    is_test = run.table["split"].eq("test")
    check_parity(
        run.model, run.recogniser, run.table[is_test], run.images_NHW[is_test.to_numpy()],
        tolerance=tolerance,
    )  # fmt: skip
    with TemporaryDirectory() as scratch:
        made = Path(scratch)
        TrainedModelDataset(filepath=str(made / WEIGHTS)).save(run.model)
        (made / ONNX).write_bytes(run.recogniser.onnx_model)
        _choose_golden(run).to_parquet(made / GOLDEN)
        (made / CARD).write_text(write_card(release), encoding="utf-8")
        for name, content in run.reports.items():
            (made / name).write_bytes(content)
        write_manifest(made, release, [path.name for path in made.iterdir()])
        folder.mkdir(parents=True, exist_ok=True)
        # File by file: the scratch folder is closed to other users, and that would be copied too.
        for path in made.iterdir():
            shutil.copyfile(path, folder / path.name)


def _choose_golden(run: FinishedRun) -> pd.DataFrame:
    is_drawn = run.table["corpus"].eq(_GOLDEN_CORPUS)
    golden = golden_samples(
        run.recogniser, run.table[is_drawn], run.images_NHW[is_drawn.to_numpy()], per_symbol=1
    )
    if golden.empty:
        message = f"Expected test samples of the corpus {_GOLDEN_CORPUS}, got none: they go with"
        raise ReleaseError(f"{message} the model. Set embedded.samples_per_symbol to 10 or more.")
    return golden


def _check_one_model(run: FinishedRun) -> None:
    found = {
        "finetuning": run.model.digest(),
        "evaluation": run.results["model.weights_sha256"],
        "packaging": run.recogniser.spec["weights_sha256"],
    }
    if len(set(found.values())) > 1:
        listing = ", ".join(f"{stage} {digest[:12]}" for stage, digest in found.items())
        message = f"Expected the model of one finished run, got those of several: {listing}"
        raise ReleaseError(f"{message}. Run the job again: make run ENV=released.")


def _plain(terms: Terms) -> Terms:
    """Return the terms alone, where they are part of a manifest entry with files and reader."""
    return Terms.model_validate(terms.model_dump(include=set(Terms.model_fields)))
