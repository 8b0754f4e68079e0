"""The command `bukva review`: the page as it is started, and the way through Label Studio."""

import json
import os
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from job_storage import Storage
from kedro_project import PROJECT
from serving_servers import free_port, wait_for
from stage_runs import run_stage, small_parameters
from stored_corrections import START, correct

from bukva.cli.released.manifest import RELEASED
from bukva.core.samples import RawSample
from bukva.errors import CorpusMissingError, CorrectionError
from bukva.pipelines.feedback_ingestion import pipeline as feedback_ingestion
from bukva.registry.models import PackagedModel
from bukva.tasks.glyph.feedback.collection import StoredCorrections
from bukva.tasks.glyph.feedback.decisions import Decision, Decisions

OTHER = Decision(symbol="К", reviewer="somebody", decided=START)
Annotate = Callable[..., str]


@pytest.fixture(scope="module")
def set_aside(drawn_pages: list[RawSample]) -> Any:
    """What `feedback_ingestion` sets aside of drawings that all were given as Щ."""
    corrections = [
        correct(np.asarray(page.image), "Щ", place) for place, page in enumerate(drawn_pages[20:40])
    ]
    [model] = RELEASED.glob("*.onnx")
    inputs = {
        "corrections": StoredCorrections(corrections, []),
        "feedback_decisions": {},
        "known_samples": None,
        "registered_models": {"prod": PackagedModel("", {}, model.read_bytes, version="4")},
        **small_parameters(),
    }
    return run_stage(feedback_ingestion.create_pipeline(), inputs)["feedback_review"]


@pytest.fixture
def storage(tmp_path: Path, set_aside: Any) -> Storage:
    return keep(Storage(tmp_path / "storage"), set_aside)


def keep(storage: Storage, set_aside: Any) -> Storage:
    storage.catalog.save("feedback_review", set_aside)
    storage.catalog.save("feedback_decisions", {"b" * 32: OTHER})
    return storage


def decisions(storage: Storage) -> Decisions:
    kept: Decisions = storage.load("feedback_decisions")
    return kept


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory, set_aside: Any) -> str:
    folder = tmp_path_factory.mktemp("exported")
    said = keep(Storage(folder), set_aside).run("review", "export", str(folder / "tasks.json"))
    assert f"Wrote {len(set_aside)} tasks" in said
    return (folder / "tasks.json").read_text()


@pytest.fixture
def tasks(exported: str) -> list[dict[str, Any]]:
    tasks: list[dict[str, Any]] = json.loads(exported)
    assert len(tasks) > 5
    return tasks


def annotate(task: dict[str, Any], choice: str, at: datetime = START, **fields: Any) -> None:
    """What Label Studio adds to a task."""
    result = task["predictions"][0]["result"][0] | {"value": {"choices": [choice]}}
    annotation = {"result": [result], "completed_by": 7, "created_at": at.isoformat()}
    task.setdefault("annotations", []).append(annotation | fields)


@pytest.fixture
def take(storage: Storage, tmp_path: Path) -> Callable[[object], str]:
    def take(export: object) -> str:
        file = tmp_path / "annotated.json"
        file.write_text(json.dumps(export))
        return storage.run("review", "import", str(file))

    return take


def name_of(task: dict[str, Any]) -> str:
    return str(task["data"]["correction"])


def test_tasks_go_out_and_decisions_come_back(
    storage: Storage, tasks: list[dict[str, Any]], take: Callable[[object], str]
) -> None:
    annotate(tasks[0], "Ґ")
    annotate(tasks[1], "reject")
    said = take(tasks)
    assert "Took 2 decisions" in said
    assert "Left" not in said
    assert "Passed over" not in said
    kept = decisions(storage)
    assert kept["b" * 32] == OTHER
    assert kept[name_of(tasks[0])].symbol == "Ґ"
    assert kept[name_of(tasks[1])].symbol is None


def test_an_export_that_is_older_than_a_decision_does_not_replace_it(
    storage: Storage, tasks: list[dict[str, Any]], take: Callable[[object], str]
) -> None:
    later = Decision(symbol="Ж", reviewer="Оксана", decided=START + timedelta(days=28))
    named = [name_of(task) for task in tasks[:3]]
    storage.catalog.save("feedback_decisions", dict.fromkeys(named, later))
    annotate(tasks[0], "Ґ", START)
    annotate(tasks[1], "Ґ", START, updated_at=(START + timedelta(days=29)).isoformat())
    annotate(tasks[2], "Ґ", later.decided)
    annotate(tasks[3], "Ґ", START)
    said = take(tasks)
    assert "Took 2 decisions" in said
    assert "Left 2 as they were decided here" in said
    kept = decisions(storage)
    assert [kept[name].symbol for name in named] == ["Ж", "Ґ", "Ж"]
    assert "Took 0 decisions" in take(tasks), "the same export again changes nothing"
    assert decisions(storage) == kept


def test_an_annotation_counts_from_when_it_was_changed(
    storage: Storage, tasks: list[dict[str, Any]], take: Callable[[object], str]
) -> None:
    changed = START + timedelta(days=3)
    annotate(tasks[0], "Ж", START, updated_at=changed.isoformat())
    annotate(tasks[0], "Ґ", START + timedelta(days=2))
    take(tasks)
    kept = decisions(storage)[name_of(tasks[0])]
    assert (kept.symbol, kept.decided) == ("Ж", changed)


def test_letters_in_two_code_points_are_composed(
    storage: Storage, tasks: list[dict[str, Any]], take: Callable[[object], str]
) -> None:
    for task, symbol in zip(tasks, "йїЇ", strict=False):
        annotate(task, unicodedata.normalize("NFD", symbol))
    assert "Took 3 decisions" in take(tasks)
    kept = decisions(storage)
    assert [kept[name_of(task)].symbol for task in tasks[:3]] == ["й", "ї", "Ї"]


def test_other_fields_of_the_form_do_not_harm(
    storage: Storage, tasks: list[dict[str, Any]], take: Callable[[object], str]
) -> None:
    fields = [
        {"from_name": "why", "type": "textarea", "value": {"text": ["нерозбірливо"]}},
        {"from_name": "sure", "type": "rating", "value": {"rating": 4}},
        {"from_name": "pen", "type": "choices", "value": {"choices": ["a", "b"]}},
        {"from_id": "x", "to_id": "y", "type": "relation", "direction": "right"},
    ]
    for task, field in zip(tasks, fields, strict=False):
        annotate(task, "Ґ")
        task["annotations"][0]["result"].insert(0, field)
    annotate(tasks[4], "Ґ")
    tasks[4]["annotations"][0]["result"] = fields[:2]  # no choice was made
    assert "Took 4 decisions" in take(tasks)
    kept = decisions(storage)
    assert {kept[name_of(task)].symbol for task in tasks[:4]} == {"Ґ"}
    assert name_of(tasks[4]) not in kept


def test_tasks_of_another_project_are_passed_over(
    storage: Storage, tasks: list[dict[str, Any]], take: Callable[[object], str]
) -> None:
    annotate(tasks[0], "Ґ")
    foreign = [
        {"data": {"text": "a review of a film"}, "annotations": [{"result": "odd"}]},
        {"data": {"correction": 5, "image": "cat.png"}},
    ]
    said = take([*foreign, *tasks])
    assert "Took 1 decisions" in said
    assert "Passed over 2 tasks of another project" in said


def test_a_choice_that_is_no_symbol_is_refused_and_nothing_is_taken(
    storage: Storage, tasks: list[dict[str, Any]], take: Callable[[object], str]
) -> None:
    annotate(tasks[0], "Ґ")
    annotate(tasks[1], "Ы")
    with pytest.raises(CorrectionError, match=f"{name_of(tasks[1])}.*Ы"):
        take(tasks)
    assert decisions(storage) == {"b" * 32: OTHER}


def test_what_was_never_set_aside_cannot_be_reviewed(tmp_path: Path) -> None:
    with pytest.raises(CorpusMissingError, match="--pipeline=feedback_ingestion --env=test"):
        Storage(tmp_path).run("review", "export", str(tmp_path / "tasks.json"))


@pytest.fixture
def http(storage: Storage) -> Iterator[httpx.Client]:
    """The page as the command starts it."""
    port = free_port()
    command = [sys.executable, "-m", "bukva", "review", "--env=test", f"--port={port}"]
    process = subprocess.Popen(
        [*command, "--reviewer=Оксана"],
        cwd=PROJECT,
        env=os.environ | {"BUKVA_TEST_STORAGE": str(storage.path)},
        stdout=subprocess.DEVNULL,
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as http:
            wait_for(lambda: answers(http), timeout_s=240)
            yield http
    finally:
        process.kill()
        process.wait(timeout=15)


def test_the_page_is_served_to_this_machine_and_stores_decisions(
    storage: Storage, http: httpx.Client, set_aside: Any
) -> None:
    listed = http.get("/drawings").json()
    assert [item["name"] for item in listed] == list(set_aside["name"])
    assert listed[0]["given"] == "Щ"
    assert len(listed[0]["alternatives"]) == 5
    name = listed[0]["name"]
    assert http.get(f"/drawings/{name}/image").content == set_aside["image"][0]
    assert http.put(f"/drawings/{name}/decision", json={"symbol": "Ґ"}).status_code == 200
    decision = decisions(storage)[name]
    assert (decision.symbol, decision.reviewer) == ("Ґ", "Оксана")


def answers(http: httpx.Client) -> bool:
    try:
        return http.get("/").status_code == 200
    except httpx.TransportError:
        return False
