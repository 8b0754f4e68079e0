"""The command `bukva retrain`: what it adds to the job, and what it says."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from job_storage import Storage
from kedro_project import storage_at
from stage_runs import run_stage, small_parameters
from stored_corrections import correct

from bukva.cli.released.manifest import RELEASED
from bukva.cli.retrain import add_feedback, describe_feedback, describe_verdict
from bukva.core.evaluation.verdict import Verdict
from bukva.core.samples import RawSample
from bukva.pipelines.feedback_ingestion import pipeline as feedback_ingestion
from bukva.registry.models import PackagedModel
from bukva.tasks.glyph.charset import LABELS, LETTERS
from bukva.tasks.glyph.feedback.collection import StoredCorrections


@pytest.fixture
def added(tmp_path: Path) -> Any:
    def add(**params: Any) -> dict[str, Any]:
        with storage_at(tmp_path):
            return add_feedback("test", params, 0.004)

    return add


def test_feedback_is_read_weighed_and_nothing_promoted(added: Any) -> None:
    assert added() == {
        "data_processing": {"corpora": ["feedback"]},
        "finetuning": {"corpora": {"feedback": 0.004}},
        "promotion": {"promote": False},
    }


def test_what_the_caller_says_counts(added: Any) -> None:
    params = {
        "data_processing": {"corpora": ["mnist", "feedback"], "seed": 3},
        "finetuning": {"corpora": {"feedback": 0.5}, "max_epochs": 2},
        "promotion": {"force": True},
    }
    assert added(**params) == params | {"promotion": {"force": True, "promote": False}}


@pytest.fixture(scope="module")
def feedback_report(drawn_pages: list[RawSample]) -> dict[str, Any]:
    """What `feedback_ingestion` says of a drawing of each letter, all of them given as Ґ."""
    corrections = [
        correct(np.asarray(page.image), "Ґ", place) for place, page in enumerate(drawn_pages[::2])
    ]
    [model] = RELEASED.glob("*.onnx")
    inputs = {
        "corrections": StoredCorrections(corrections, []),
        "feedback_decisions": {},
        "known_samples": None,
        "registered_models": {"prod": PackagedModel("", {}, model.read_bytes, version="4")},
        **small_parameters(),
    }
    reported: dict[str, Any] = run_stage(feedback_ingestion.create_pipeline(), inputs)[
        "feedback_report"
    ]
    return reported


def test_what_became_of_the_corrections_is_said(feedback_report: dict[str, Any]) -> None:
    first, *lines = describe_feedback(feedback_report).splitlines()
    counts = feedback_report["outcomes"]
    assert first == f"Corrections: {len(LABELS) + len(LETTERS)}"
    assert counts["learnt"] > 0
    assert counts["set_aside"] > 50
    assert f"  learnt from: {counts['learnt']}" in lines
    assert f"  set aside for review: {counts['set_aside']}" in lines
    assert len(lines) == sum(count > 0 for count in counts.values()) + 2
    assert lines[-2:] == [
        f"Learnt from: Ґ {counts['learnt']}", "To decide what was set aside: make review",
    ]  # fmt: skip


def test_the_verdict_is_said_in_a_sentence(job: Storage) -> None:
    verdict = Verdict.model_validate(job.report("verdict.json"))
    said = describe_verdict(verdict)
    assert said == f"Verdict: it may not take the place of version 1: {verdict.reason}."
    changed = {"is_accepted": True, "production_version": None}
    accepted = describe_verdict(verdict.model_copy(update=changed))
    assert accepted.startswith("Verdict: it may take the place of no version: ")
