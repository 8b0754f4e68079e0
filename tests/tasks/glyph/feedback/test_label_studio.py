import base64
import json
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest

from bukva.errors import CorrectionError
from bukva.tasks.glyph.feedback.decisions import read_annotations, write_tasks

IDS = ["a" * 32, "b" * 32, "c" * 32]
REVIEW = pd.DataFrame(
    {
        "name": IDS,
        "given": ["Ґ", "о", "7"],
        "reading": ["Г", "О", "∅"],
        "reading_probability": [0.97, 0.93, 0.99],
        "image": [b"one", b"two", b"three"],
    }
)


def annotate(
    task: dict[str, Any], choice: str, created: str = "2026-11-03T08:00:00Z", **fields: Any
) -> dict[str, Any]:
    """What Label Studio adds to a task."""
    result = task["predictions"][0]["result"][0] | {"value": {"choices": [choice]}}
    annotation = {
        "id": 1,
        "result": [result],
        "completed_by": {"email": "olena@example.org"},
        "created_at": created,
        "was_cancelled": False,
        "lead_time": 2.5,
    }
    return task | {"id": 5, "annotations": [*task.get("annotations", []), annotation | fields]}


def test_tasks_hold_the_drawing_and_the_models_reading() -> None:
    tasks = json.loads(write_tasks(REVIEW))
    assert [task["data"]["correction"] for task in tasks] == IDS
    prefix, image = tasks[1]["data"]["image"].split(",")
    assert prefix == "data:image/png;base64"
    assert base64.b64decode(image) == b"two"
    readings = [task["predictions"][0]["result"][0]["value"]["choices"] for task in tasks]
    assert readings == [["Г"], ["О"], ["reject"]]
    photo = REVIEW[:1].assign(image=[b"RIFF of a photo"])
    [task] = json.loads(write_tasks(photo))
    assert task["data"]["image"].startswith("data:image/webp;base64,")


def test_annotations_become_decisions() -> None:
    first, second, third = json.loads(write_tasks(REVIEW))
    export = [annotate(first, "Ґ"), annotate(second, "reject", completed_by=7), third]
    decisions, foreign = read_annotations(json.dumps(export).encode())
    assert foreign == 0
    assert decisions.keys() == set(IDS[:2])
    assert decisions[IDS[0]].symbol == "Ґ"
    assert decisions[IDS[0]].reviewer == "Label Studio olena@example.org"
    assert decisions[IDS[0]].decided == datetime(2026, 11, 3, 8, tzinfo=UTC)
    assert (decisions[IDS[1]].symbol, decisions[IDS[1]].reviewer) == (None, "Label Studio 7")


def test_the_last_annotation_counts_and_a_skipped_one_does_not() -> None:
    task = json.loads(write_tasks(REVIEW))[0]
    task = annotate(task, "Ґ", "2026-11-05T08:00:00Z")
    task = annotate(task, "Г", "2026-11-04T08:00:00Z")
    task = annotate(task, "К", "2026-11-06T08:00:00Z", was_cancelled=True)
    [decision] = read_annotations(json.dumps([task]).encode())[0].values()
    assert decision.symbol == "Ґ"


@pytest.mark.parametrize("content", [b"", b"{}x", b'[{"image": 1}]', b"7"])
def test_what_is_no_export_is_refused(content: bytes) -> None:
    with pytest.raises(CorrectionError, match="Label Studio"):
        read_annotations(content)


def test_a_choice_that_is_no_symbol_is_refused_with_its_task() -> None:
    task = annotate(json.loads(write_tasks(REVIEW))[0], "Ы")
    with pytest.raises(CorrectionError, match=f"{IDS[0]}.*Ы"):
        read_annotations(json.dumps([task]).encode())
