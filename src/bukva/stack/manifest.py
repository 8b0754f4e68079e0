"""What a backup consists of: each file with its size and sha256, written down when all is there."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bukva import __version__
from bukva.errors import BackupError

MANIFEST: Final = "manifest.json"


def write_manifest(folder: Path, **about: Any) -> dict[str, Any]:
    """Write down the files of a folder, and return what was written."""
    manifest = {
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "bukva": __version__,
        **about,
        "files": {name: _describe(folder / name) for name in _names(folder)},
    }
    text = json.dumps(manifest, indent=1, ensure_ascii=False)
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    return manifest


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return what was written down of a backup, after comparing it with what is there.

    Raises:
        BackupError: If it is no backup, or not the whole one that was made.
    """
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        expected: dict[str, Any] = dict(manifest["files"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"Expected a backup in {folder}, found no {MANIFEST} of one ({error})."
        raise BackupError(message) from error
    found = {name: _describe(folder / name) for name in _names(folder)}
    wrong = sorted(name for name in expected | found if expected.get(name) != found.get(name))
    if wrong:
        raise BackupError(
            f"The backup in {folder} is not the one that was made: {len(wrong)} of its files are "
            f"missing, new or changed, such as {', '.join(wrong[:3])}. Take another backup."
        )
    return manifest


def _names(folder: Path) -> list[str]:
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in paths if path.as_posix() != MANIFEST)


def _describe(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    return {"bytes": path.stat().st_size, "sha256": digest.hexdigest()}
