"""The command `bukva review`: the page as it is started, and the way through Label Studio."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pandas as pd
import pytest
from click.testing import CliRunner
from serving_servers import free_port, wait_for

from bukva.__main__ import bukva
from bukva.data.feedback.decisions import Decision
from bukva.datasets.feedback import DecisionsDataset
from bukva.errors import CorpusMissingError
from kedro_project import PROJECT, storage_at
from stored_corrections import START

ID = "a" * 32


@pytest.fixture
def storage(tmp_path: Path) -> Path:
    """Where `feedback_ingestion` has set one drawing aside."""
    row = {
        "name": ID,
        "given": "Ґ",
        "answer": None,
        "created": START.isoformat(),
        "reading": "Г",
        "reading_probability": 0.97,
        "alternatives": json.dumps([{"symbol": "Г", "probability": 0.97}]),
        "image": b"\x89PNG",
    }
    (tmp_path / "02_intermediate").mkdir()
    pd.DataFrame([row]).to_parquet(tmp_path / "02_intermediate" / "feedback_review.parquet")
    return tmp_path


def decisions(storage: Path) -> DecisionsDataset:
    return DecisionsDataset(filepath=str(storage / "01_raw" / "feedback_decisions.json"))


def review(storage: Path, *arguments: str) -> str:
    with storage_at(storage):
        done = CliRunner().invoke(bukva, ["review", *arguments, "--env=test"])
    if done.exception:
        raise done.exception
    return done.output


def test_tasks_go_out_and_decisions_come_back(storage: Path, tmp_path: Path) -> None:
    other = Decision(symbol="К", reviewer="somebody", decided=START)
    decisions(storage).save({"b" * 32: other})
    tasks = tmp_path / "tasks.json"
    assert "1 tasks" in review(storage, "export", str(tasks))
    [task] = json.loads(tasks.read_text())
    annotation = {"result": task["predictions"][0]["result"], "created_at": f"{datetime.now(UTC)}"}
    tasks.write_text(json.dumps([task | {"annotations": [annotation]}]))
    assert "Took 1 decisions" in review(storage, "import", str(tasks))
    kept = decisions(storage).load()
    assert kept["b" * 32] == other
    assert kept[ID].symbol == "Г"


def test_what_was_never_set_aside_cannot_be_reviewed(tmp_path: Path) -> None:
    with pytest.raises(CorpusMissingError, match="--pipeline=feedback_ingestion --env=test"):
        review(tmp_path, "export", str(tmp_path / "tasks.json"))


def test_the_page_is_served_to_this_machine_and_stores_decisions(storage: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "bukva", "review", "--env=test", f"--port={port}"]
    process = subprocess.Popen(
        [*command, "--reviewer=Оксана"],
        cwd=PROJECT,
        env=os.environ | {"BUKVA_TEST_STORAGE": str(storage)},
        stdout=subprocess.DEVNULL,
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as http:
            wait_for(lambda: answers(http), timeout_s=120)
            answer = http.put(f"/drawings/{ID}/decision", json={"symbol": "Ґ"})
            assert answer.status_code == 200
    finally:
        process.kill()
        process.wait(timeout=15)
    decision = decisions(storage).load()[ID]
    assert (decision.symbol, decision.reviewer) == ("Ґ", "Оксана")


def answers(http: httpx.Client) -> bool:
    try:
        return http.get("/").status_code == 200
    except httpx.TransportError:
        return False
