"""What is kept of a run on the disk: whole, in order, and read by nobody while it is written."""

from pathlib import Path

import pytest

from bukva.model_registry.journal import Journal, left_behind

SERVER = "http://tracking:5000"


def left(folder: Path) -> list[list[int]]:
    return [[request["n"] for request in found.requests] for found in left_behind(folder)]


def write(folder: Path, *numbers: int) -> Journal:
    journal = Journal(folder, SERVER)
    for number in numbers:
        journal.append({"n": number})
    return journal


def test_nothing_is_made_before_there_is_something_to_keep(tmp_path: Path) -> None:
    Journal(tmp_path / "journals", SERVER)
    assert not (tmp_path / "journals").exists()


def test_a_journal_that_is_written_to_is_left_alone(tmp_path: Path) -> None:
    journal = write(tmp_path, 1)
    assert left(tmp_path) == []
    del journal
    assert left(tmp_path) == [[1]]


def test_a_journal_that_was_left_keeps_its_order_and_its_server(tmp_path: Path) -> None:
    write(tmp_path, 1, 2, 3)
    [found] = left_behind(tmp_path)
    assert found.server == SERVER
    assert found.requests == [{"n": 1}, {"n": 2}, {"n": 3}]


def test_what_is_delivered_is_forgotten(tmp_path: Path) -> None:
    journal = write(tmp_path, 1)
    journal.clear()
    assert list(tmp_path.iterdir()) == []
    journal.append({"n": 2})
    journal.clear()
    journal.clear()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kept_bytes", range(1, 40, 3))
def test_a_line_that_was_cut_off_by_a_kill_harms_no_other(tmp_path: Path, kept_bytes: int) -> None:
    write(tmp_path, 1)
    [path] = tmp_path.iterdir()
    torn = b'{"n": 2, "text": "\xd1\x97\xd0\xb6\xd0\xb0\xd0\xba, the last line"}\n'
    path.write_bytes(path.read_bytes() + torn[:kept_bytes])
    assert left(tmp_path) == [[1]]


def test_a_journal_without_a_whole_line_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"server"')
    [found] = left_behind(tmp_path)
    assert found.requests == []


def test_what_is_refused_is_kept_with_its_reason(tmp_path: Path) -> None:
    Journal(tmp_path, SERVER).set_aside({"n": 1}, "no such run")
    assert "no such run" in (tmp_path / "refused.txt").read_text()
    assert left(tmp_path) == []
