"""From a finished run to a released model, or to the reason why not."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from finished_runs import describe, finished_run

from bukva import charset
from bukva.datasets.trained_model import TrainedModelDataset
from bukva.errors import ParityError, ReleaseError, TermsError
from bukva.inference.golden import check_golden_samples
from bukva.inference.recogniser import Recogniser
from bukva.models.trained import TrainedModel
from bukva.release.making import FinishedRun, make_release

FILES = {
    "MODEL_CARD.md", "golden_samples.parquet", "label_confusion.png", "manifest.json", "model.json",
    "model.onnx", "model.safetensors", "reference.json",
}  # fmt: skip


def test_a_release_holds_the_model_twice(released: Path, run: FinishedRun) -> None:
    assert {path.name for path in released.iterdir()} == FILES
    weights = TrainedModelDataset(filepath=str(released / "model.safetensors")).load()
    recogniser = Recogniser((released / "model.onnx").read_bytes())
    assert weights.digest() == recogniser.spec["weights_sha256"] == run.model.digest()
    assert weights.spec.corpora == ("comnist", "strokes")


def test_golden_samples_are_drawn_and_answered_as_before(released: Path, run: FinishedRun) -> None:
    golden = pd.read_parquet(released / "golden_samples.parquet")
    assert set(golden["true_symbol"]) == set(charset.SYMBOLS)
    check_golden_samples(run.recogniser, golden)
    with pytest.raises(ParityError, match="do not belong together"):
        check_golden_samples(run.recogniser, golden.assign(symbol="ґ"))
    with pytest.raises(ParityError, match=f"{len(golden)} others"):
        check_golden_samples(run.recogniser, golden.assign(confidence=golden["confidence"] + 0.01))


def test_the_manifest_says_what_it_learnt_from_and_how_well_it_does(released: Path) -> None:
    said = json.loads((released / "manifest.json").read_text())["release"]
    assert said["weights"] > 1000
    assert list(said["trained_on"]) == ["comnist", "strokes"]
    assert said["trained_on"]["comnist"]["licence"].startswith("CC BY-SA 4.0")
    assert "files" not in said["trained_on"]["comnist"]
    assert said["results"]["rukopys.label_accuracy.ci95"] == [0.78, 0.82]
    assert not [key for key in said["results"] if key.startswith(("seconds.", "model."))]


def test_the_card_credits_and_says_what_was_unseen(released: Path) -> None:
    card = (released / "MODEL_CARD.md").read_text()
    assert "Only a test." in card
    assert "| rukopys (unseen) | 1,336 | 80.0 [78.0, 82.0] | - | - | - |" in card
    assert "| strokes | 1,368 | 95.0 [94.0, 96.0] | - | 90.0 [89.0, 91.0] | - |" in card
    assert "Nothing of rukopys was seen" in card
    assert "**comnist**" in card
    assert "https://github.com/GregVial/CoMNIST" in card
    assert "CC BY-SA 4.0, with attribution" in card


def test_what_may_not_be_released_is_not(
    random_model: TrainedModel, random_recogniser: Recogniser
) -> None:
    with pytest.raises(TermsError, match="rukopys: no licence is stated"):
        describe(finished_run(random_model, random_recogniser, ("rukopys", "strokes")))
    with pytest.raises(TermsError, match="Train it again"):
        describe(finished_run(random_model, random_recogniser, ()))


def test_parts_of_several_runs_are_no_release(run: FinishedRun) -> None:
    other = replace(run, results=run.results | {"model.weights_sha256": "f" * 64})
    with pytest.raises(ReleaseError, match="evaluation ffffffffffff") as caught:
        describe(other)
    assert "make run ENV=released" in str(caught.value)


def test_nothing_is_written_where_the_forms_answer_differently(
    run: FinishedRun, tmp_path: Path
) -> None:
    weights = {name: np.array(value) for name, value in run.model.weights.items()}
    weights["label_head.bias"] = weights["label_head.bias"] + np.arange(43, dtype=np.float32)
    changed = replace(run, model=replace(run.model, weights=weights))
    with pytest.raises(ParityError):
        make_release(changed, describe(run), tmp_path / "made", tolerance=1e-4)
    assert not (tmp_path / "made").exists()


def test_a_release_that_is_too_large_is_refused(
    run: FinishedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bukva.release.manifest.MAX_BYTES", 50_000)
    with pytest.raises(ReleaseError, match="at most 50,000 bytes, got") as caught:
        make_release(run, describe(run), tmp_path / "made", tolerance=1e-4)
    assert "finetuning.width" in str(caught.value)
    assert not (tmp_path / "made").exists()


def test_without_drawings_there_is_nothing_to_test_it_by(run: FinishedRun, tmp_path: Path) -> None:
    renamed = replace(run, table=run.table.assign(corpus="mnist"))
    with pytest.raises(ReleaseError, match=r"embedded\.samples_per_symbol"):
        make_release(renamed, describe(run), tmp_path / "made", tolerance=1e-4)
