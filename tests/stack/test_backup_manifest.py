"""What a backup consists of, and how a wrong one is found."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bukva.errors import BackupError
from bukva.stack.manifest import MANIFEST, read_manifest, write_manifest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bucket").mkdir()
    (tmp_path / "bucket" / "літера.png").write_bytes(b"image")
    (tmp_path / "empty").write_bytes(b"")
    write_manifest(tmp_path, bucket="bukva")
    return tmp_path


def test_what_was_written_down_is_read_again(folder: Path) -> None:
    manifest = read_manifest(folder)
    assert manifest["bucket"] == "bukva"
    assert {name: item["bytes"] for name, item in manifest["files"].items()} == {
        "bucket/літера.png": 5,
        "empty": 0,
    }


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "empty").unlink(),
        lambda folder: (folder / "empty").write_bytes(b"1"),
        lambda folder: (folder / "new").write_bytes(b""),
        lambda folder: (folder / "bucket" / "літера.png").write_bytes(b"imagE"),
    ],
    ids=["missing", "longer", "more", "one bit"],
)
def test_another_backup_than_the_one_that_was_made_is_refused(
    folder: Path, change: Callable[[Path], object]
) -> None:
    change(folder)
    with pytest.raises(BackupError, match="1 of its files"):
        read_manifest(folder)


@pytest.mark.parametrize("content", ["", "[]", "{}", "not json", '{"files": null}'])
def test_a_folder_that_is_no_backup_is_refused(folder: Path, content: str) -> None:
    (folder / MANIFEST).write_text(content)
    with pytest.raises(BackupError, match=r"Expected a backup"):
        read_manifest(folder)


def test_a_half_backup_has_no_manifest(folder: Path) -> None:
    (folder / MANIFEST).unlink()
    with pytest.raises(BackupError, match=MANIFEST):
        read_manifest(folder)


def test_it_can_be_read_without_us(folder: Path) -> None:
    assert json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["made_at"].endswith("+00:00")
