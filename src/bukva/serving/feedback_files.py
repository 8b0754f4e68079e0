"""Files of corrections: whole or not at all, also after a kill; and where they are delivered to.

A target is written to in one way: a file that is not there is made, whole; one that is there stays.
"""

import base64
import contextlib
import fcntl
import hashlib
import math
import os
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bukva.core.corrections import (
    MAX_FILE_BYTES,
    Respondent,
    StoredCorrection,
    compress_image,
    find_task,
)
from bukva.errors import CorrectionError, ImageError, RequestError
from bukva.serving.schemas import FeedbackRequest, LineFeedbackRequest, ServedModel
from bukva.tasks.glyph import correction as glyph
from bukva.tasks.line.correction import SIDE_PX, LineCorrection

_DRAFT_AGE_S = 3600


@contextlib.contextmanager
def drafted(folder: Path, data: bytes) -> Iterator[Path]:
    """A file that is on the disk, under a hidden name, to be moved or linked to its own."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{uuid.uuid4().hex}"
    try:
        with draft.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield draft
    finally:
        draft.unlink(missing_ok=True)


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
    is_ours = True
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            is_ours = False
        yield is_ours
    finally:
        os.close(descriptor)


_BLOCK_BYTES = 4096
_MAX_AGE_S = 10.0
_COUNTING_SHARE = 0.01  # of the time: a folder of a million receipts takes seconds


class FolderRoom:
    """How many files lie in a folder, and the bytes of the blocks that they take on the disk.

    Counted now and then and kept up in between, by one thread at a time. What other processes do to
    the folder shows at the next count.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count()

    def add(self, file_bytes: int, files: int = 1) -> None:
        """Takes into account a file that this process has added, or with -1 taken away."""
        self.files += files
        self.bytes += files * in_blocks(file_bytes)

    def refresh(self) -> None:
        """Counts anew if the last count was long ago."""
        if time.monotonic() > self._due_s:
            self._count()

    def _count(self) -> None:
        begun_s = time.monotonic()
        sizes: list[int] = []
        for path in list_files(self._folder):
            with contextlib.suppress(FileNotFoundError):  # deleted just now
                sizes.append(path.stat().st_size)
        self.files = len(sizes)
        self.bytes = sum(map(in_blocks, sizes))
        ended_s = time.monotonic()
        self._due_s = ended_s + max(_MAX_AGE_S, (ended_s - begun_s) / _COUNTING_SHARE)


def in_blocks(file_bytes: int) -> int:
    """What a file of this size takes of a disk."""
    return math.ceil(file_bytes / _BLOCK_BYTES) * _BLOCK_BYTES


def list_files(folder: Path) -> Iterator[Path]:
    """The plain files in a folder, without hidden ones; none where it cannot be listed."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.name.startswith(".") and entry.is_file(follow_symlinks=False):
                    yield folder / entry.name
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return


def make_correction(
    key: str,
    request: FeedbackRequest | LineFeedbackRequest,
    image: bytes,
    model: ServedModel | None,
    client: str | None = None,
) -> StoredCorrection:
    """Makes a correction of a request; its image is made anew from the pixels.

    Raises:
        RequestError: If the image cannot be decoded; the codes are those of recognition.
    """
    is_line = isinstance(request, LineFeedbackRequest)
    sides = (SIDE_PX, SIDE_PX) if is_line else (glyph.MAX_SIDE_PX, glyph.PHOTO_SIDE_PX)
    try:
        picture = base64.b64encode(compress_image(image, *sides)).decode("ascii")
    except ImageError as error:
        raise RequestError(error.code, str(error)) from error
    facts: dict[str, Any] = {
        "id": hashlib.sha256(key.encode()).hexdigest()[:32],
        "created": datetime.now(UTC).replace(microsecond=0),
        "answer": request.answer,
        "model": Respondent(**model.model_dump()) if model else None,
        "client": client,
        "image": picture,
    }
    if isinstance(request, LineFeedbackRequest):
        sha256 = LineCorrection.digest(request.text, picture)
        return LineCorrection(task="line", text=request.text, sha256=sha256, **facts)
    sha256 = glyph.Correction.digest(request.symbol, picture)
    return glyph.Correction(symbol=request.symbol, source=request.source, sha256=sha256, **facts)


def read_correction(path: Path) -> StoredCorrection | None:
    """Reads a correction or a receipt; None if the file is anything else.

    Raises:
        OSError: If it cannot be read.
    """
    return None if path.stat().st_size > MAX_FILE_BYTES else try_parsing(path.read_bytes())


def try_parsing(data: bytes) -> StoredCorrection | None:
    """Makes sense of the bytes of a correction or a receipt; None if they are anything else."""
    kind = LineCorrection if find_task(data) == "line" else glyph.Correction
    try:
        return kind.parse(data)
    except CorrectionError:
        return None


# botocore's own timeouts are a minute each, five times over.
_S3_CONFIG = {
    "connect_timeout": 2,
    "read_timeout": 5,
    "retries": {"total_max_attempts": 1},
}


class FolderTarget:
    """A folder, on this machine or mounted.

    As any target it may raise any OSError. PermissionError and FileNotFoundError mean that trying
    again will hardly help.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        drop_old_drafts(root)

    def create(self, correction: StoredCorrection) -> bool:
        """Writes a correction to its place; returns False, and writes nothing, if that is taken."""
        path = self._root / correction.place
        with drafted(self._root, correction.write()) as draft:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                # A link, not a rename: it does not replace what is there.
                path.hardlink_to(draft)
            except FileExistsError:
                return False
        sync_folder(path.parent)
        return True

    def read(self, place: str) -> StoredCorrection | None:
        """What is at a place; None if there is nothing, or no correction."""
        try:
            return try_parsing((self._root / place).read_bytes())
        except FileNotFoundError:
            return None

    def remove(self, place: str) -> None:
        """Deletes what is at a place."""
        (self._root / place).unlink(missing_ok=True)


class S3Target:
    """A prefix of a bucket; address and credentials come from the environment of AWS' tools."""

    def __init__(self, url: str) -> None:
        from s3fs import S3FileSystem

        self._root = url.removeprefix("s3://").rstrip("/")
        self._files: Any = S3FileSystem(config_kwargs=_S3_CONFIG, skip_instance_cache=True)
        self._files.retries = 1  # the uploader has its own pauses

    def create(self, correction: StoredCorrection) -> bool:
        """See FolderTarget."""
        try:
            self._files.pipe_file(self._path(correction.place), correction.write(), mode="create")
        except OSError as error:
            if _s3_code(error) == "PreconditionFailed":
                return False
            raise
        return True

    def read(self, place: str) -> StoredCorrection | None:
        """See FolderTarget."""
        try:
            return try_parsing(self._files.cat_file(self._path(place)))
        except FileNotFoundError as error:
            if _s3_code(error) == "NoSuchBucket":
                raise
            return None

    def remove(self, place: str) -> None:
        """See FolderTarget."""
        self._files.rm_file(self._path(place))

    def _path(self, place: str) -> str:
        return f"{self._root}/{place}"


def _s3_code(error: OSError) -> str:
    response = getattr(error.__cause__, "response", {})
    return str(response.get("Error", {}).get("Code"))


FeedbackTarget = FolderTarget | S3Target


def open_target(url: str) -> FeedbackTarget:
    """The target at `s3://bucket/prefix`, or the folder of this path."""
    return S3Target(url) if url.startswith("s3://") else FolderTarget(Path(url))
