"""Files of corrections: whole or not at all, also after a kill; and where they are delivered to.

A target is written to in one way: a file that is not there is made, whole; one that is there stays.
"""

import base64
import contextlib
import fcntl
import hashlib
import os
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from bukva.errors import CorrectionError
from bukva.serving.request_body import decode, encode
from bukva.serving.schemas import FeedbackRequest, ServedModel
from bukva.tasks.glyph.correction import (
    MAX_FILE_BYTES,
    Correction,
    Respondent,
    digest_of,
    parse_correction,
)

_DRAFT_AGE_S = 3600


def write_draft(folder: Path, data: bytes) -> Path:
    """Writes a file through to the disk, under a hidden name, to be moved to its own."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{uuid.uuid4().hex}"
    try:
        with draft.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return draft


def drop_old_drafts(folder: Path) -> None:
    """Deletes what a killed process left; what another one writes now is younger."""
    for draft in folder.glob(".*"):
        with contextlib.suppress(OSError):
            if time.time() - draft.stat().st_mtime > _DRAFT_AGE_S:
                draft.unlink()


def sync_folder(folder: Path) -> None:
    """Makes the folder's own list of files last through a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def lock_folder(folder: Path, *, wait: bool = True) -> Iterator[bool]:
    """Keeps other threads and processes out of a folder, as far as they ask in this way.

    The system takes the lock from a process that is killed. Without `wait`, gives at once whether
    the lock is had.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        yield _try_lock(descriptor, 0 if wait else fcntl.LOCK_NB)
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int, flags: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | flags)
    except BlockingIOError:
        return False
    return True


_MAX_AGE_S = 10.0


class FileCount:
    """A number that is counted now and then and kept up in between.

    Changed by one thread at a time. What other processes do to the folder shows at the next count.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.refresh()

    @property
    def value(self) -> int:
        """The number as it is known."""
        return self._value

    def add(self, number: int) -> None:
        """Takes into account what this process has added, or taken away."""
        self._value += number

    def refresh(self) -> None:
        """Counts anew."""
        self._value = sum(1 for _ in list_files(self._folder))
        self._counted_s = time.monotonic()

    def refresh_when_old(self) -> None:
        """Counts anew if the last count was long ago."""
        if time.monotonic() - self._counted_s > _MAX_AGE_S:
            self.refresh()


def list_files(folder: Path) -> Iterator[str]:
    """Names of the plain files in a folder, without hidden ones; none where it cannot be listed."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.name.startswith(".") and entry.is_file(follow_symlinks=False):
                    yield entry.name
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return


def make_correction(
    key: str,
    request: FeedbackRequest,
    image: bytes,
    model: ServedModel | None,
    client: str | None = None,
) -> Correction:
    """Makes a correction of a request; its image is made anew from the pixels.

    Raises:
        RequestError: As `decode` does.
    """
    picture = base64.b64encode(encode(decode(image))).decode("ascii")
    return Correction(
        id=hashlib.sha256(key.encode()).hexdigest()[:32],
        sha256=digest_of(request.symbol, picture),
        created=datetime.now(UTC).replace(microsecond=0),
        answer=request.answer,
        model=Respondent(**model.model_dump()) if model else None,
        client=client,
        symbol=request.symbol,
        image=picture,
    )


def read_correction(path: Path) -> Correction | None:
    """Reads a correction or a receipt; None if the file is anything else.

    Raises:
        OSError: If it cannot be read.
    """
    return None if path.stat().st_size > MAX_FILE_BYTES else try_parsing(path.read_bytes())


def try_parsing(data: bytes) -> Correction | None:
    """Makes sense of the bytes of a correction or a receipt; None if they are anything else."""
    try:
        return parse_correction(data)
    except CorrectionError:
        return None


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
