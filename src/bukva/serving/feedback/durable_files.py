"""Files that are there whole or not at all, also after a kill or a loss of power."""

import contextlib
import fcntl
import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

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
