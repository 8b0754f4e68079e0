"""Corrections where the service leaves them: its folder, a folder or a bucket they go to."""

import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bucket_server import BUCKET, run_bucket
from kedro.io import DatasetError
from object_store import s3_is
from stored_corrections import START, correct, correct_pages, store

from bukva.core.samples import RawSample
from bukva.datasets.feedback import CorrectionsDataset, DecisionsDataset, KnownSamplesDataset
from bukva.datasets.files import ArrayDataset
from bukva.errors import CorrectionError
from bukva.tasks.glyph.correction import Correction
from bukva.tasks.glyph.feedback.decisions import Decision


@pytest.fixture(scope="module")
def corrections(drawn_pages: list[RawSample]) -> list[Correction]:
    return correct_pages(drawn_pages[:6])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


def ids(corrections: list[Correction]) -> set[str]:
    return {correction.id for correction in corrections}


def test_a_place_that_is_not_there_holds_none_and_that_is_said(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        stored = CorrectionsDataset(folder=str(folder), delivered=str(folder / "far")).load()
    assert stored == ([], [])
    assert f"no corrections in {folder} nor in {folder}/far" in caplog.text
    assert "BUKVA_FEEDBACK_URL" in caplog.text


def test_what_waits_and_what_was_delivered_is_read_once(
    folder: Path, tmp_path: Path, corrections: list[Correction]
) -> None:
    store(corrections[:4], folder)
    store(corrections[3:], tmp_path / "far", by_day=True)
    store([item.receipt for item in corrections[3:]], folder / "sent")
    stored = CorrectionsDataset(folder=str(folder), delivered=str(tmp_path / "far")).load()
    assert ids(stored.corrections) == ids(corrections)
    assert len(stored.corrections) == len(corrections)
    assert stored.unusable == []


def test_what_is_to_be_deleted_is_not_read(
    folder: Path, tmp_path: Path, corrections: list[Correction]
) -> None:
    """The service's folder says so while the place that it was delivered to is out of reach."""
    store(corrections, tmp_path / "far", by_day=True)
    gone = corrections[2]
    (folder / "deleted").mkdir(parents=True)
    (folder / "deleted" / gone.place.replace("/", "-")).write_bytes(gone.receipt.write())
    stored = CorrectionsDataset(folder=str(folder), delivered=str(tmp_path / "far")).load()
    assert ids(stored.corrections) == ids(corrections) - {gone.id}


def test_files_that_are_none_are_named_with_reasons(
    folder: Path, corrections: list[Correction]
) -> None:
    store(corrections, folder)
    store([corrections[0].model_copy(update={"id": "e" * 32}).receipt], folder)
    (folder / "torn.json").write_bytes(corrections[0].write()[:99])
    (folder / f"{'f' * 32}.json").write_bytes(corrections[0].write())
    (folder / "notes.txt").write_text("remember")
    (folder / ".draft").write_text("half")
    (folder / "dead").mkdir()
    (folder / "dead" / "odd.json").write_text("odd")
    with (folder / "large.json").open("wb") as file:
        file.truncate(33 * 1024 * 1024)
    stored = CorrectionsDataset(folder=str(folder)).load()
    assert ids(stored.corrections) == ids(corrections)
    reasons = {item["file"]: item["reason"] for item in stored.unusable}
    assert reasons.keys() == {
        f"{'e' * 32}.json", f"{'f' * 32}.json", "large.json", "notes.txt", "torn.json",
    }  # fmt: skip
    assert "receipt" in reasons[f"{'e' * 32}.json"]
    assert corrections[0].id in reasons[f"{'f' * 32}.json"]
    assert "at most" in reasons["large.json"]


def test_corrections_come_from_a_bucket(corrections: list[Correction], folder: Path) -> None:
    with run_bucket() as bucket, s3_is(bucket.environment):
        for item in corrections:
            bucket.put_bytes(f"given/{item.place}", item.write())
        bucket.put_bytes("given/2026/11/01/notes.txt", b"remember")
        url = f"s3://{BUCKET}/given"
        stored = CorrectionsDataset(folder=str(folder), delivered=url).load()
        assert ids(stored.corrections) == ids(corrections)
        assert [item["file"] for item in stored.unusable] == ["2026/11/01/notes.txt"]
        assert CorrectionsDataset(folder=f"s3://{BUCKET}/nothing").load() == ([], [])


def test_nobody_writes_corrections_but_the_service(folder: Path) -> None:
    with pytest.raises(DatasetError, match="read-only"):
        CorrectionsDataset(folder=str(folder)).save([])  # type: ignore[arg-type]


def test_decisions_outlive_the_process_and_a_broken_file_stops_the_run(tmp_path: Path) -> None:
    path = tmp_path / "01_raw" / "decisions.json"
    dataset = DecisionsDataset(filepath=str(path))
    assert dataset.load() == {}
    decisions = {"a" * 32: Decision(symbol="Ґ", reviewer="somebody", decided=START)}
    dataset.save(decisions)
    assert DecisionsDataset(filepath=str(path)).load() == decisions
    path.write_bytes(path.read_bytes()[:30])
    with pytest.raises(DatasetError) as caught:
        dataset.load()
    assert isinstance(caught.value.__cause__, CorrectionError)


def test_known_samples_are_none_before_there_are_any(tmp_path: Path) -> None:
    table, images = tmp_path / "table.parquet", tmp_path / "images.npy"
    dataset = KnownSamplesDataset(filepath=str(table), images=str(images))
    assert dataset.load() is None
    pd.DataFrame({"corpus": ["a"], "split": ["test"]}).to_parquet(table)
    assert dataset.load() is None
    ArrayDataset(filepath=str(images)).save(np.zeros((1, 28, 28), dtype=np.uint8))
    known = dataset.load()
    assert known is not None
    assert len(known.images_MHW) == len(known.table) == 1


def test_a_clients_name_survives_the_way(folder: Path) -> None:
    page = np.pad(np.zeros((20, 30), dtype=np.uint8), 40, constant_values=255)
    store([correct(page, "Ґ", client="address 0123456789abcdef")], folder)
    [read] = CorrectionsDataset(folder=str(folder)).load().corrections
    assert read.client == "address 0123456789abcdef"
