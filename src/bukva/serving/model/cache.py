"""The versions that were served last, on the local disk, for a start while the registry is down.

Files are kept under their digest and compared with it again before they are used. A disk that is
full or cannot be written costs the cache and nothing else.
"""

import hashlib
import json
import os
import shutil
import uuid
from dataclasses import asdict
from pathlib import Path

from bukva.serving.logs import log_failure
from bukva.serving.model.registry import RegisteredVersion
from bukva.serving.schemas import ServedModel
from bukva.serving.settings import Settings

_KEPT = 3


class ModelCache:
    """A folder with the files of a few versions, and a note of the one that was served last."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.model_cache.expanduser()
        # Several services may share the folder.
        served = f"{settings.tracking_uri}\n{settings.model_uri}".encode()
        self._note = self._folder / f"{hashlib.sha256(served).hexdigest()[:16]}.json"

    def copy(self, digest: str, target: Path) -> bool:
        """Copy the files with a digest to a folder; return False if they are not here."""
        try:
            shutil.copytree(self._folder / digest, target, symlinks=True)
            os.utime(self._folder / digest)
        except OSError:
            shutil.rmtree(target, ignore_errors=True)
            return False
        return True

    def keep(self, version: RegisteredVersion, digest: str, files: Path) -> None:
        """Keep the files of the version that is served now, and drop those of old ones."""
        draft = self._folder / f".{uuid.uuid4().hex}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not (self._folder / digest).is_dir():
                shutil.copytree(files, draft)
                draft.rename(self._folder / digest)
            note = json.dumps({**asdict(version), "identity": version.identity.model_dump()})
            draft.write_text(note, encoding="utf-8")
            draft.replace(self._note)
            self._drop_old()
        except OSError as error:
            log_failure("model_not_cached", error)
            shutil.rmtree(draft, ignore_errors=True)

    def drop(self, digest: str) -> None:
        """Forget files that are not what they were."""
        shutil.rmtree(self._folder / digest, ignore_errors=True)

    def recall(self) -> RegisteredVersion | None:
        """Return the version that was served last, None if there was none."""
        try:
            note = json.loads(self._note.read_text(encoding="utf-8"))
            return RegisteredVersion(**{**note, "identity": ServedModel(**note["identity"])})
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def _drop_old(self) -> None:
        kept = [path for path in self._folder.iterdir() if path.is_dir()]
        kept.sort(key=lambda path: path.stat().st_mtime, reverse=True)
        for path in kept[_KEPT:]:
            shutil.rmtree(path, ignore_errors=True)
