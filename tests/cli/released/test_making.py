"""From a finished run to a released model, or to the reason why not."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from job_storage import Storage

from bukva.cli.released.making import FinishedRun, describe_release, make_release
from bukva.cli.released.manifest import Release, read_release
from bukva.core.corpora.terms import Terms
from bukva.datasets.models import TrainedModelDataset
from bukva.errors import ParityError, ReleaseError, TermsError
from bukva.tasks.glyph import charset
from bukva.tasks.glyph.golden import check_golden_samples
from bukva.tasks.glyph.recogniser import Recogniser

FILES = {
    "MODEL_CARD.md", "case_confusion.png", "golden_samples.parquet", "label_confusion.png",
    "manifest.json", "model.json", "model.onnx", "model.safetensors", "reference.json",
}  # fmt: skip


@pytest.fixture
def describe(terms: dict[str, Terms]) -> Callable[..., Release]:
    said = {"name": "bukva-glyph", "version": "2026-11-21", "git_revision": "abc", "note": ""}
    return lambda run: describe_release(run, terms, **said)


def with_corpora(run: FinishedRun, *corpora: str) -> FinishedRun:
    spec = run.model.spec.model_copy(update={"corpora": corpora})
    return replace(run, model=replace(run.model, spec=spec))


def test_a_release_holds_the_model_twice(released: Path, run: FinishedRun) -> None:
    assert {path.name for path in released.iterdir()} == FILES
    weights = TrainedModelDataset(filepath=str(released / "model.safetensors")).load()
    recogniser = Recogniser((released / "model.onnx").read_bytes())
    assert weights.digest() == recogniser.spec["weights_sha256"] == run.model.digest()
    assert weights.spec.corpora == ("digits", "nonsymbols", "strokes")


def test_golden_samples_are_drawn_and_answered_as_before(released: Path, run: FinishedRun) -> None:
    golden = pd.read_parquet(released / "golden_samples.parquet")
    assert set(golden["true_symbol"]) == set(charset.SYMBOLS)
    check_golden_samples(run.recogniser, golden)
    with pytest.raises(ParityError, match="do not belong together"):
        check_golden_samples(run.recogniser, golden.assign(symbol="ґ"))
    with pytest.raises(ParityError, match="others"):
        check_golden_samples(run.recogniser, golden.assign(confidence=golden["confidence"] + 0.01))


def test_the_manifest_says_what_it_learnt_from_and_how_well_it_does(
    released: Path, run: FinishedRun
) -> None:
    said = json.loads((released / "manifest.json").read_text())["release"]
    assert said["weights"] > 1000
    assert list(said["trained_on"]) == ["nonsymbols", "strokes"]
    assert said["trained_on"]["strokes"]["licence"].startswith("none of others")
    assert said["parameters"]["finetuning"]["max_epochs"] == 2
    for key in ("strokes.label_accuracy", "digits.label_accuracy.ci95"):
        assert said["results"][key] == run.results[key]
    assert not [key for key in said["results"] if key.startswith(("seconds.", "model."))]


def test_the_card_credits_and_says_what_was_unseen(released: Path, run: FinishedRun) -> None:
    card, results = (released / "MODEL_CARD.md").read_text(), run.results

    def cell(key: str) -> str:
        low, high = results[f"{key}.ci95"]
        return f"{100 * results[key]:.1f} [{100 * low:.1f}, {100 * high:.1f}]"

    assert "Only a test." in card
    digits = cell("digits.label_accuracy")
    assert f"| digits (unseen) | {results['digits.label_accuracy.n']} | {digits} | - |" in card
    strokes = [cell(f"strokes.{name}") for name in ("label_accuracy", "letters.label_accuracy")]
    assert f"| strokes | {results['strokes.label_accuracy.n']} | {' | '.join(strokes)} |" in card
    assert "Nothing of digits was seen" in card
    assert "**strokes**" in card
    assert "CC BY-SA 4.0, with attribution" in card


def test_a_command_makes_it_of_the_run_that_was_finished_last(
    job: Storage, run: FinishedRun, tmp_path: Path
) -> None:
    said = job.run("release", "make", f"--to={tmp_path / 'made'}", "--note=By hand.")
    assert "trained on digits, nonsymbols, strokes" in said
    release = read_release(tmp_path / "made")
    assert (release.note, release.unseen) == ("By hand.", [])
    assert release.data_fingerprint == run.results["model.data_fingerprint"]


def test_what_may_not_be_released_is_not(
    run: FinishedRun, describe: Callable[[FinishedRun], Release]
) -> None:
    with pytest.raises(TermsError, match="rukopys: no licence is stated"):
        describe(with_corpora(run, "rukopys", "strokes"))
    with pytest.raises(TermsError, match="Train it again"):
        describe(with_corpora(run))


def test_parts_of_several_runs_are_no_release(
    run: FinishedRun, describe: Callable[[FinishedRun], Release]
) -> None:
    other = replace(run, results=run.results | {"model.weights_sha256": "f" * 64})
    with pytest.raises(ReleaseError, match="evaluation ffffffffffff") as caught:
        describe(other)
    assert "make run ENV=released" in str(caught.value)


def test_nothing_is_written_where_the_forms_answer_differently(
    run: FinishedRun, release: Release, tmp_path: Path
) -> None:
    weights = {name: np.array(value) for name, value in run.model.weights.items()}
    bias = weights["label_head.bias"]
    weights["label_head.bias"] = bias + np.arange(len(bias), dtype=np.float32)
    changed = replace(run, model=replace(run.model, weights=weights))
    with pytest.raises(ParityError):
        make_release(changed, release, tmp_path / "made", tolerance=1e-4)
    assert not (tmp_path / "made").exists()


def test_a_release_that_is_too_large_is_refused(
    run: FinishedRun, release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bukva.cli.released.manifest.MAX_BYTES", 50_000)
    with pytest.raises(ReleaseError, match="at most 50,000 bytes, got") as caught:
        make_release(run, release, tmp_path / "made", tolerance=1e-4)
    assert "finetuning.width" in str(caught.value)
    assert not (tmp_path / "made").exists()


def test_without_drawings_there_is_nothing_to_test_it_by(
    run: FinishedRun, release: Release, tmp_path: Path
) -> None:
    renamed: Any = replace(run, table=run.table.assign(corpus="mnist"))
    with pytest.raises(ReleaseError, match=r"embedded\.samples_per_symbol"):
        make_release(renamed, release, tmp_path / "made", tolerance=1e-4)
