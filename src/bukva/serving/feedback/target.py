"""Where corrections are delivered to: a folder, or a bucket of S3.

A target is written to in one way: a file that is not there is made, whole; one that is there stays.
"""

from pathlib import Path
from typing import Any, Protocol

from bukva.correction import Correction
from bukva.serving.feedback.correction import try_parsing
from bukva.serving.feedback.durable_files import drop_old_drafts, sync_folder, write_draft

# botocore's own timeouts are a minute each, five times over.
_S3_CONFIG = {
    "connect_timeout": 2,
    "read_timeout": 5,
    "retries": {"total_max_attempts": 1},
}


class FeedbackTarget(Protocol):
    """What the uploader needs; each may raise any OSError, and what a library raises.

    PermissionError and FileNotFoundError mean that trying again will hardly help.
    """

    def create(self, correction: Correction) -> bool:
        """Writes a correction to its place; returns False, and writes nothing, if that is taken."""

    def read(self, place: str) -> Correction | None:
        """What is at a place; None if there is nothing, or no correction."""

    def remove(self, place: str) -> None:
        """Deletes what is at a place."""


def open_target(url: str) -> FeedbackTarget:
    """The target at `s3://bucket/prefix`, or the folder of this path."""
    return S3Target(url) if url.startswith("s3://") else FolderTarget(Path(url))


class FolderTarget:
    """A folder, on this machine or mounted."""

    def __init__(self, root: Path) -> None:
        self._root = root
        drop_old_drafts(root)

    def create(self, correction: Correction) -> bool:
        """See FeedbackTarget."""
        path = self._root / correction.place
        draft = write_draft(self._root, correction.write())
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # A link, not a rename: it does not replace what is there.
            path.hardlink_to(draft)
        except FileExistsError:
            return False
        finally:
            draft.unlink(missing_ok=True)
        sync_folder(path.parent)
        return True

    def read(self, place: str) -> Correction | None:
        """See FeedbackTarget."""
        try:
            return try_parsing((self._root / place).read_bytes())
        except FileNotFoundError:
            return None

    def remove(self, place: str) -> None:
        """See FeedbackTarget."""
        (self._root / place).unlink(missing_ok=True)


class S3Target:
    """A prefix of a bucket; address and credentials come from the environment of AWS' tools."""

    def __init__(self, url: str) -> None:
        from s3fs import S3FileSystem

        self._root = url.removeprefix("s3://").rstrip("/")
        self._files: Any = S3FileSystem(config_kwargs=_S3_CONFIG, skip_instance_cache=True)
        self._files.retries = 1  # the uploader has its own pauses

    def create(self, correction: Correction) -> bool:
        """See FeedbackTarget."""
        try:
            self._files.pipe_file(self._path(correction.place), correction.write(), mode="create")
        except OSError as error:
            if _s3_code(error) == "PreconditionFailed":
                return False
            raise
        return True

    def read(self, place: str) -> Correction | None:
        """See FeedbackTarget."""
        try:
            return try_parsing(self._files.cat_file(self._path(place)))
        except FileNotFoundError as error:
            if _s3_code(error) == "NoSuchBucket":
                raise
            return None

    def remove(self, place: str) -> None:
        """See FeedbackTarget."""
        self._files.rm_file(self._path(place))

    def _path(self, place: str) -> str:
        return f"{self._root}/{place}"


def _s3_code(error: OSError) -> str:
    response = getattr(error.__cause__, "response", {})
    return str(response.get("Error", {}).get("Code"))
