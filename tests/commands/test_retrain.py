"""The command `bukva retrain`: what it adds to the job, and what it says."""

from pathlib import Path
from typing import Any

import pytest

from bukva.commands.retrain import add_feedback, describe_feedback, describe_verdict
from bukva.data.feedback.selection import OUTCOMES
from kedro_project import storage_at


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


def report(**counts: int) -> dict[str, Any]:
    outcomes = dict.fromkeys(OUTCOMES, 0) | counts
    learnt = outcomes["learnt"]
    return {
        "corrections": sum(outcomes.values()),
        "outcomes": outcomes,
        "learnt": learnt,
        "symbols": {"Ґ": learnt} if learnt else {},
    }


def test_what_became_of_the_corrections_is_said() -> None:
    assert describe_feedback(report(learnt=3, set_aside=2, over_cap=4)).splitlines() == [
        "Corrections: 9",
        "  learnt from: 3",
        "  set aside for review: 2",
        "  too many of one client: 4",
        "Learnt from: Ґ 3",
        "To decide what was set aside: make review",
    ]
    assert describe_feedback(report()) == "Corrections: 0"


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        ({"is_accepted": True, "production_version": "3"}, "it may take the place of version 3"),
        ({"is_accepted": False, "production_version": "3"}, "it may not take the place"),
        ({"is_accepted": True, "production_version": None}, "the place of no version"),
    ],
)
def test_the_verdict_is_said_in_a_sentence(verdict: dict[str, Any], words: str) -> None:
    said = describe_verdict(verdict | {"reason": "because of the samples"})
    assert words in said
    assert said.endswith("because of the samples.")
