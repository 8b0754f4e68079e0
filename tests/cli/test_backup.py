"""What a backup consists of, and how a wrong one is found."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from bukva.cli.stack_processes.backup import MANIFEST, check_backup, write_manifest
from bukva.errors import BackupError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bucket").mkdir()
    (tmp_path / "bucket" / "літера  з 'лапками'.png").write_bytes(b"image")
    (tmp_path / "empty").write_bytes(b"")
    assert write_manifest(tmp_path) == 2
    return tmp_path


def test_what_was_written_down_is_there(folder: Path) -> None:
    check_backup(folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "empty").unlink(),
        lambda folder: (folder / "empty").write_bytes(b"1"),
        lambda folder: (folder / "new").write_bytes(b""),
        lambda folder: next(folder.glob("bucket/*")).write_bytes(b"imagE"),
    ],
    ids=["missing", "longer", "more", "one bit"],
)
def test_another_backup_than_the_one_that_was_made_is_refused(
    folder: Path, change: Callable[[Path], object]
) -> None:
    change(folder)
    with pytest.raises(BackupError, match=r"ERROR : (empty|new|bucket/літера)"):
        check_backup(folder)


@pytest.mark.parametrize("content", ["", "[]", "not sums", "{}\n"])
def test_a_folder_that_is_no_backup_is_refused(folder: Path, content: str) -> None:
    (folder / MANIFEST).write_text(content)
    with pytest.raises(BackupError):
        check_backup(folder)


def test_a_half_backup_has_no_manifest(folder: Path) -> None:
    (folder / MANIFEST).unlink()
    with pytest.raises(BackupError, match=MANIFEST):
        check_backup(folder)


def test_it_can_be_checked_without_us(folder: Path) -> None:
    if not shutil.which("sha256sum"):
        pytest.skip("sha256sum is not installed")
    subprocess.run(["sha256sum", "--check", "--strict", MANIFEST], cwd=folder, check=True)
