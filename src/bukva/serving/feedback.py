"""Corrections: what people say that their drawings show, kept for training.

A correction that was acknowledged is on the disk; one that was not has left nothing behind but a
temporary file. Nothing of it is ever read back by way of the service.
"""

import base64
import contextlib
import hashlib
import json
import os
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bukva.errors import RequestError
from bukva.serving.pixels import decode, encode
from bukva.serving.schemas import FeedbackRequest, ServedModel

_DRAFT_AGE_S = 3600


class FeedbackStore:
    """A folder with a JSON file for each correction, which no other program writes to."""

    def __init__(self, folder: Path, max_files: int) -> None:
        self._folder = folder
        self._max_files = max_files
        self._drop_old_drafts()

    def keep(
        self, key: str, request: FeedbackRequest, image: bytes, model: ServedModel | None
    ) -> str:
        """Return the id of a correction, once it is stored.

        Args:
            key: Chosen by the caller, who may send the same correction again with it.
            request: What the image shows, and what was answered.
            image: The encoded image; what is stored is made anew from its pixels.
            model: Which one answered.

        Raises:
            RequestError: `key_reused` if the key came with another correction before,
                `feedback_full` if there is no room for it, and as `decode` does.
        """
        picture = base64.b64encode(encode(decode(image))).decode("ascii")
        correction = {"symbol": request.symbol, "image": picture}
        content = hashlib.sha256(json.dumps(correction).encode()).hexdigest()
        name = hashlib.sha256(key.encode()).hexdigest()[:32]
        record = {
            "id": name,
            "sha256": content,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "answer": request.answer,
            "model": model.model_dump() if model else None,
            **correction,
        }
        if not self._create(name, record) and self._read(name)["sha256"] != content:
            raise RequestError("key_reused", "Take a new Idempotency-Key for another correction.")
        return name

    def delete(self, name: str) -> None:
        """Delete a correction.

        Raises:
            RequestError: `unknown_feedback` if there is none of this id.
        """
        try:
            self._place(name).unlink()
        except FileNotFoundError:
            raise RequestError("unknown_feedback", "It may have been deleted before.") from None
        self._sync_folder()

    def _create(self, name: str, record: dict[str, Any]) -> bool:
        """Write a record that is there whole or not at all; return whether it is new."""
        self._folder.mkdir(parents=True, exist_ok=True)
        if self._place(name).exists():
            return False
        if sum(1 for _ in self._folder.glob("*.json")) >= self._max_files:
            raise RequestError("feedback_full", f"Expected fewer than {self._max_files} of them.")
        draft = self._folder / f".{name}.{uuid.uuid4().hex}"
        try:
            with draft.open("w", encoding="utf-8") as file:
                json.dump(record, file, ensure_ascii=False)
                file.flush()
                os.fsync(file.fileno())
            # A link, not a rename: it does not replace what another request stored meanwhile.
            os.link(draft, self._place(name))
        except FileExistsError:
            return False
        finally:
            draft.unlink(missing_ok=True)
        self._sync_folder()
        return True

    def _drop_old_drafts(self) -> None:
        """Delete what a killed process left; what another one writes now is younger."""
        for draft in self._folder.glob(".*"):
            with contextlib.suppress(OSError):
                if time.time() - draft.stat().st_mtime > _DRAFT_AGE_S:
                    draft.unlink()

    def _read(self, name: str) -> dict[str, Any]:
        record: dict[str, Any] = json.loads(self._place(name).read_text(encoding="utf-8"))
        return record

    def _place(self, name: str) -> Path:
        return self._folder / f"{name}.json"

    def _sync_folder(self) -> None:
        """Make the folder's own list of files last through a loss of power."""
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
