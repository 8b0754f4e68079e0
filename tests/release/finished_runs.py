"""What a finished run leaves behind, with an untrained model in place of a trained one."""

from dataclasses import replace
from typing import Any

from bukva.data.embedded import EMBEDDED_CORPORA
from bukva.data.manifest import parse_manifest
from bukva.data.terms import EMBEDDED_TERMS, Terms
from bukva.inference.recogniser import Recogniser
from bukva.models.trained import TrainedModel
from bukva.release.making import FinishedRun, describe_release
from bukva.release.manifest import Release
from stage_runs import manifest, small_data

RESULTS = {
    "rukopys.label_accuracy": 0.8,
    "rukopys.label_accuracy.ci95": [0.78, 0.82],
    "rukopys.label_accuracy.n": 1336,
    "strokes.label_accuracy": 0.95,
    "strokes.label_accuracy.ci95": [0.94, 0.96],
    "strokes.label_accuracy.n": 1368,
    "strokes.letters.case_accuracy": 0.9,
    "strokes.letters.case_accuracy.ci95": [0.89, 0.91],
    "strokes.letters.case_accuracy.n": 1200,
    "seconds.finetuning": 12.5,
}


def terms() -> dict[str, Terms]:
    return {**parse_manifest(manifest()), **EMBEDDED_TERMS}


def finished_run(
    model: TrainedModel, recogniser: Recogniser, corpora: tuple[str, ...] = ("comnist", "strokes")
) -> FinishedRun:
    spec = model.spec.model_copy(update={"corpora": corpora})
    table = small_data()["sample_table"]
    is_own = table["corpus"].isin(EMBEDDED_CORPORA)
    return FinishedRun(
        model=replace(model, spec=spec),
        recogniser=recogniser,
        results=RESULTS | {"model.weights_sha256": model.digest(), "model.corpora": list(corpora)},
        table=table[is_own],
        images_NHW=small_data()["sample_images"][is_own.to_numpy()],
        parameters={"mnist_pretraining": {"width": 4}, "finetuning": {"width": 4}},
        reports={"reference.json": b"{}", "label_confusion.png": b"a figure"},
    )


def describe(run: FinishedRun, **changes: Any) -> Release:
    said = {
        "name": "bukva-glyph",
        "version": "2026-11-21",
        "git_revision": "abc",
        "note": "Only a test.",
    }
    release = describe_release(run, terms(), **said | changes)
    return release.model_copy(update={"tested_on": ("rukopys", "strokes")})
