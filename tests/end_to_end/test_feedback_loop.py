"""From a correction given to the service to the next training table."""

import uuid
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from feedback_requests import correction, give
from job_storage import Storage
from kedro_project import run_pipeline, storage_at
from serving_servers import Server
from stored_corrections import png

from bukva.__main__ import bukva
from bukva.cli.retrain import add_feedback
from bukva.core.samples import RawSample
from bukva.datasets.models import TrainedModelDataset
from bukva.errors import CorpusMissingError
from bukva.tasks.glyph.charset import SYMBOLS, to_symbol
from bukva.tasks.glyph.embedded import draw_letters_and_digits

pytestmark = pytest.mark.timeout(900)

OUTPUTS = ("feedback_corpus.parquet", "feedback_review.parquet", "feedback_outcomes.parquet")


@dataclass
class Given:
    """Ids of what was given, by what is to become of it."""

    right: list[str]
    wrong: str
    deleted: str


def give_page(server: Server, page: RawSample, symbol: str) -> str:
    body = correction(symbol, png(np.asarray(page.image)))
    answer = give(server, body, key=uuid.uuid4().hex)
    assert answer.status_code == 201
    return str(answer.json()["id"])


@pytest.fixture(scope="module")
def given(released_server: Server) -> Given:
    """One drawing of each symbol; a wrong label that the model is sure of; one taken back."""
    pages = list(draw_letters_and_digits(samples_per_symbol=1, seed=2026))
    symbols = [to_symbol(page.label, page.is_uppercase) for page in pages]
    assert set(symbols) == set(SYMBOLS)
    sure = symbols.index("Ж")
    right = [
        give_page(released_server, page, symbol)
        for place, (page, symbol) in enumerate(zip(pages[:-1], symbols, strict=False))
        if place != sure
    ]
    wrong = give_page(released_server, pages[sure], "о")
    deleted = give_page(released_server, pages[-1], symbols[-1])
    assert released_server.http.delete(f"/v1/feedback/{deleted}").status_code == 204
    return Given(right, wrong, deleted)


@pytest.fixture(scope="module")
def storage(given: Given, released_folder: Path) -> Path:
    """What `feedback_ingestion` and `data_processing` made of it."""
    ingest(released_folder)
    with storage_at(released_folder):
        learning = add_feedback("test", {"feedback_ingestion": {"client_count": 500}}, 0.01)
    learning.pop("promotion")
    run_pipeline("data_processing", released_folder, **learning)
    return released_folder


def ingest(folder: Path) -> None:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("BUKVA_FEEDBACK_FOLDER", str(folder / "feedback"))
        run_pipeline("feedback_ingestion", folder, feedback_ingestion={"client_count": 500})


def test_what_was_given_is_in_the_next_table_to_train_on_and_none_to_test_on(
    storage: Path, given: Given
) -> None:
    table = pd.read_parquet(storage / "03_primary" / "sample_table.parquet")
    feedback = table[table["corpus"].eq("feedback")]
    assert set(feedback["split"]) == {"train"}
    learnt = set(feedback["name"])
    assert len(learnt & set(given.right)) > 0.6 * len(given.right)
    assert given.wrong not in learnt
    assert given.deleted not in learnt
    outcomes = pd.read_parquet(storage / "02_intermediate" / "feedback_outcomes.parquet")
    by_id = outcomes.set_index("name")["outcome"]
    assert by_id[given.wrong] == "set_aside"
    assert given.deleted not in by_id.index
    assert set(by_id[given.right]) <= {"learnt", "set_aside", "copy"}


def test_the_same_again_gives_the_same_files(storage: Path) -> None:
    folder = storage / "02_intermediate"
    before = [(folder / name).read_bytes() for name in OUTPUTS]
    report = (storage / "08_reporting" / "feedback_report.json").read_bytes()
    ingest(storage)
    assert [(folder / name).read_bytes() for name in OUTPUTS] == before
    assert (storage / "08_reporting" / "feedback_report.json").read_bytes() == report


def test_what_is_deleted_later_leaves_the_corpus(
    storage: Path, given: Given, released_server: Server
) -> None:
    path = storage / "02_intermediate" / "feedback_corpus.parquet"
    gone = next(name for name in given.right if name in set(pd.read_parquet(path)["name"]))
    assert released_server.http.delete(f"/v1/feedback/{gone}").status_code == 204
    ingest(storage)
    assert gone not in set(pd.read_parquet(path)["name"])
    for name in OUTPUTS:
        assert gone.encode() not in (storage / "02_intermediate" / name).read_bytes()


def test_without_corrections_nothing_is_trained_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUKVA_FEEDBACK_FOLDER", str(tmp_path / "nothing"))
    with storage_at(tmp_path):
        done = CliRunner().invoke(bukva, ["retrain", "--env=test"], catch_exceptions=False)
    assert done.exit_code == 0
    assert "Corrections: 0" in done.output
    assert "nothing was trained" in done.output
    assert not (tmp_path / "06_models").exists()
    corpora = {"data_processing": {"corpora": ["feedback"]}}
    with pytest.raises(CorpusMissingError, match="there were no corrections to learn from"):
        run_pipeline("data_processing", tmp_path, **corpora)


def test_retraining_ends_in_a_candidate_and_leaves_production_alone(
    storage: Path, released_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUKVA_FEEDBACK_FOLDER", str(storage / "feedback"))
    before = released_server.http.get("/version").json()["model"]
    arguments = ["retrain", "--env=test", "--params=feedback_ingestion.client_count=500"]
    with storage_at(storage):
        said = CliRunner().invoke(bukva, arguments, catch_exceptions=False).output
    registered = Storage(storage).aliases()
    assert released_server.http.get("/version").json()["model"] == before
    assert registered["prod"] == before["version"] != registered["candidate"]
    path = storage / "06_models" / "finetuning" / "model.safetensors"
    assert "feedback" in TrainedModelDataset(filepath=str(path)).load().spec.corpora
    promoting = "python -m bukva model promote candidate --env=test"
    assert all(words in said for words in ("Learnt from: ", "Verdict: it ", promoting))
