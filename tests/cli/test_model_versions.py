"""Versions and their history as people and programs read them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic_core import to_jsonable_python

from bukva.cli.model import print_comparison, print_log, print_version, print_versions
from bukva.errors import RegistryError
from bukva.registry.history import (
    LogEntry,
    State,
    VersionHistory,
    VersionRecord,
    compare_versions,
    describe_version,
    find_periods,
)
from bukva.registry.models import PackagedModel

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
TAGS = {
    "all.label_accuracy": "0.95",
    "all.label_accuracy.ci95": "[0.94, 0.96]",
    "corpora": '["strokes"]',
    "parameters": '{"finetuning": {"max_epochs": 3, "seed": 1}}',
    "release": "2026",
    "released": "true",
    "test_split_sha256": "abc",
    "mlflow.user": "root",
}


def entry(number: int, version: str, state: State = "done", former: str | None = None) -> LogEntry:
    return LogEntry(
        number=number,
        at=NOON + timedelta(hours=number),
        action="promote",
        version=version,
        former=former,
        by="ann@lab",
        why="better",
        state=state,
    )


def record(number: str, **tags: str) -> VersionRecord:
    made_ms = int(1000 * NOON.timestamp())
    model = PackagedModel("", {**TAGS, **tags}, read_onnx=bytes, version=number, made_ms=made_ms)
    log = [entry(0, number), entry(1, "another")]
    return describe_version(model, ["prod"], find_periods(log)[number])


def test_a_version_is_described_by_plain_values() -> None:
    assert to_jsonable_python(record("2"), by_alias=True) == {
        "version": "2",
        "aliases": ["prod"],
        "registered": "2026-11-21 12:00:00 UTC",
        "in_production": [
            {
                "from": "2026-11-21 12:00:00 UTC",
                "to": "2026-11-21 13:00:00 UTC",
                "by": "ann@lab",
                "why": "better",
            }
        ],
        "metrics": {"all.label_accuracy": {"value": 0.95, "interval_95": [0.94, 0.96]}},
        "parameters": {"finetuning": {"max_epochs": 3, "seed": 1}},
        "tags": {
            "corpora": ["strokes"], "release": "2026", "released": True, "test_split_sha256": "abc",
        },
    }  # fmt: skip


def test_two_versions_are_compared_by_what_was_measured_and_what_differs() -> None:
    changes = {
        "all.label_accuracy": "0.97",
        "parameters": '{"finetuning": {"max_epochs": 9, "seed": 1}}',
        "files_sha256": "of no interest",
    }
    compared = compare_versions(record("1"), record("2", **changes))
    assert compared.same_test_split
    first, second = compared.metrics["all.label_accuracy"]
    assert first is not None
    assert second is not None
    assert (first.value, second.value) == (0.95, 0.97)
    assert compared.differences == {"finetuning.max_epochs": (3, 9)}


@pytest.mark.parametrize("split", ["another", ""])
def test_numbers_of_other_test_samples_are_not_put_on_a_level(
    split: str, capsys: pytest.CaptureFixture[str]
) -> None:
    compared = compare_versions(record("1"), record("2", test_split_sha256=split))
    assert not compared.same_test_split
    print_comparison(compared)
    assert "Not on the same test samples" in capsys.readouterr().out


def test_periods_follow_from_what_was_done() -> None:
    log = [entry(1, "1"), entry(2, "9", "refused"), entry(3, "2", former="1"), entry(4, "1")]
    periods = find_periods(log)
    assert periods.keys() == {"1", "2"}
    assert [(item.start, item.to) for item in periods["1"]] == [
        (log[0].at, log[2].at), (log[3].at, None),
    ]  # fmt: skip
    assert [(item.start, item.to) for item in periods["2"]] == [(log[2].at, log[3].at)]
    assert find_periods([]) == {}


def test_a_version_is_found_by_number_and_alias() -> None:
    history = VersionHistory(name="bukva-glyph", versions=[record("2")], log=[])
    assert history.find("prod") is history.find("2") is history.versions[0]
    with pytest.raises(RegistryError, match="got '3', of 2, prod"):
        history.find("3")


def printed(capsys: pytest.CaptureFixture[str], show: Any, *what: Any) -> str:
    show(*what)
    return str(capsys.readouterr().out)


def test_all_of_it_can_be_read_in_a_narrow_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    shown = printed(capsys, print_version, record("2"))
    assert "Version 2 (prod)" in shown
    assert "95.0 [94.0, 96.0]" in shown
    assert "finetuning.max_epochs" in shown
    assert "95.0" in printed(capsys, print_versions, [record("2")])
    log = printed(capsys, print_log, [entry(1, "2", "refused")])
    assert "refused" in log
    assert "none" in log
