"""Corrections: what people say that their drawings and lines show, kept for training.

A correction that was acknowledged is on the disk; one that was not has left nothing behind but a
temporary file. Nothing of it is ever read back by way of the service. In the folder lie

    <id>.json            corrections; where they are delivered to some place, those that wait
    sent/<id>.json       receipts of those that were delivered, without the image
    dead/                what cannot be delivered, and files that are no corrections
    deleted/             receipts of what is still to be deleted where it was delivered

A file changes from one to another in a moment, under a lock that all threads and processes share.
"""

import math
import random
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

from bukva.core.corrections import DELETED, StoredCorrection
from bukva.errors import RequestError
from bukva.serving.feedback_files import (
    FeedbackTarget,
    FolderRoom,
    drafted,
    drop_old_drafts,
    in_blocks,
    list_files,
    lock_folder,
    make_correction,
    open_target,
    read_correction,
    sync_folder,
)
from bukva.serving.logs import log_event, log_failure
from bukva.serving.metrics import Metrics
from bukva.serving.schemas import FeedbackRequest, LineFeedbackRequest, ServedModel


class FeedbackStore:
    """A folder of corrections, which no other program writes to.

    Args:
        folder: Made when it is needed.
        max_files: How many corrections may be in it, without those that were delivered.
        max_bytes: What all files in it may take of the disk, receipts too.
        is_delivered: Whether a FeedbackUploader takes them further.
    """

    def __init__(
        self,
        folder: Path,
        max_files: int,
        max_bytes: float = math.inf,
        *,
        is_delivered: bool = False,
    ) -> None:
        self._folder = folder
        self._sent = folder / "sent"
        self._dead = folder / "dead"
        self._deleted = folder / DELETED
        self._max_files = max_files
        self._max_bytes = max_bytes
        self._is_delivered = is_delivered
        states = (folder, self._sent, self._dead, self._deleted)
        self._rooms = {state: FolderRoom(state) for state in states}
        for drafts in states:
            drop_old_drafts(drafts)

    def count_waiting(self) -> int:
        """How many corrections are in the folder, as far as is known."""
        return self._rooms[self._folder].files

    def count_dead(self) -> int:
        """How many files were set aside, as far as is known."""
        return self._rooms[self._dead].files

    def count_bytes(self) -> int:
        """What all files take of the disk, as far as is known."""
        return sum(room.bytes for room in self._rooms.values())

    def keep(
        self,
        key: str,
        request: FeedbackRequest | LineFeedbackRequest,
        image: bytes,
        model: ServedModel | None,
        client: str | None = None,
    ) -> str:
        """Return the id of a correction, once it is stored.

        Args:
            key: Chosen by the caller, who may send the same correction again with it.
            request: What the image shows, and what was answered.
            image: The encoded image; what is stored is made anew from its pixels.
            model: Which one answered.
            client: Who gives it, as far as that is to be kept.

        Raises:
            RequestError: `key_reused` if the key came with another correction before,
                `feedback_full` if there is no room for it, and as `make_correction` does.
        """
        correction = make_correction(key, request, image, model, client)
        with drafted(self._folder, correction.write()) as draft, self._lock():
            stored = self._find(correction.id) or self._accept(correction, draft)
        # Also where another request stored it: that one may not have come so far.
        sync_folder(self._folder)
        if stored.sha256 != correction.sha256:
            raise RequestError("key_reused", "Take a new Idempotency-Key for another correction.")
        return correction.id

    def delete(self, name: str) -> None:
        """Delete a correction; where it was delivered, the uploader deletes it soon.

        Raises:
            RequestError: `unknown_feedback` if there is none of this id.
        """
        with self._lock():
            correction = self._find(name)
            if correction is None:
                raise RequestError("unknown_feedback", "It may have been deleted before.")
            was_sent = self._path(self._sent, name).exists()
            # One that is pending already is of what was delivered; no other was since.
            if (self._is_delivered or was_sent) and not self._deletion(correction).exists():
                self._write(correction.receipt, self._deletion(correction))
            for folder in (self._sent, self._folder, self._dead):
                self._drop(self._path(folder, name))
        sync_folder(self._folder)

    def waiting(self) -> Iterator[str]:
        """Names of the files that wait to be delivered."""
        return (path.name for path in list_files(self._folder))

    def read(self, file_name: str) -> StoredCorrection | None:
        """Return a correction that waits, or None if there is none to deliver.

        A file that is no correction is set aside.

        Raises:
            OSError: If it cannot be read.
        """
        path = self._folder / file_name
        with self._lock():
            try:
                correction = read_correction(path)
            except FileNotFoundError:
                return None
            if correction is None or correction.image is None or path.stem != correction.id:
                self._set_aside(path, "it is no correction")
                return None
            # A former one under this name has to be deleted first.
            return None if self._deletion(correction).exists() else correction

    def mark_delivered(self, correction: StoredCorrection) -> bool:
        """Leave a receipt of a correction; return False if it was deleted meanwhile."""
        with self._lock():
            if self._deletion(correction).exists():
                return False
            self._write(correction.receipt, self._path(self._sent, correction.id))
            self._drop(self._path(self._folder, correction.id))
        return True

    def set_aside(self, correction: StoredCorrection, reason: str) -> None:
        """Give up the delivery of a correction; it stays in `dead/`."""
        with self._lock():
            path = self._path(self._folder, correction.id)
            if path.exists():
                self._set_aside(path, reason)

    def deletions(self) -> list[StoredCorrection]:
        """Receipts of what is to be deleted where it was delivered."""
        return [found for path in list_files(self._deleted) if (found := read_correction(path))]

    def forget(self, deletion: StoredCorrection) -> None:
        """Drop the receipt of what was deleted."""
        with self._lock():
            self._drop(self._deletion(deletion))

    def recount(self) -> None:
        """Count the files anew now and then: other processes may have changed them."""
        with self._lock():
            self._recount()

    def sole_delivery(self) -> AbstractContextManager[bool]:
        """Whether no other process delivers now, and none will before the block ends."""
        return lock_folder(self._sent, wait=False)

    def _lock(self) -> AbstractContextManager[bool]:
        return lock_folder(self._folder)

    def _find(self, name: str) -> StoredCorrection | None:
        for folder in (self._folder, self._sent, self._dead):
            path = self._path(folder, name)
            if path.exists():
                correction = read_correction(path)
                if correction:
                    return correction
                if folder != self._dead:
                    self._set_aside(path, "it is no correction")
        return None

    def _recount(self) -> None:
        for room in self._rooms.values():
            room.refresh()

    def _accept(self, correction: StoredCorrection, draft: Path) -> StoredCorrection:
        self._recount()
        if self.count_waiting() + self.count_dead() >= self._max_files:
            raise RequestError("feedback_full", f"Expected fewer than {self._max_files} of them.")
        if self.count_bytes() + in_blocks(draft.stat().st_size) > self._max_bytes:
            raise RequestError("feedback_full", f"Expected at most {self._max_bytes} bytes.")
        self._move(draft, self._path(self._folder, correction.id))
        return correction

    def _set_aside(self, path: Path, reason: str) -> None:
        self._dead.mkdir(exist_ok=True)
        target = self._dead / path.name
        if target.exists():
            target = self._dead / f"{path.name}.{uuid.uuid4().hex}"
        self._move(path, target)
        log_failure("feedback_set_aside", None, file=target.name, reason=reason)

    def _write(self, receipt: StoredCorrection, path: Path) -> None:
        with drafted(path.parent, receipt.write()) as draft:
            self._move(draft, path)
        sync_folder(path.parent)

    def _move(self, source: Path, target: Path) -> None:
        self._count(target, -1)
        self._count(source, -1)
        source.rename(target)
        self._count(target, 1)

    def _drop(self, path: Path) -> None:
        self._count(path, -1)
        path.unlink(missing_ok=True)

    def _count(self, path: Path, files: int) -> None:
        if path.exists() and not path.name.startswith("."):
            self._rooms[path.parent].add(path.stat().st_size, files)

    def _path(self, folder: Path, name: str) -> Path:
        return folder / f"{name}.json"

    def _deletion(self, correction: StoredCorrection) -> Path:
        return self._deleted / correction.place.replace("/", "-")


_MAX_TRIES = 8
_MAX_DENIALS = 20  # in a row of tries: who denies these will deny the others
_LONGEST_PAUSE_S = 30.0
# A bucket that is not there, a key that may not: to be tried again some times, then given up.
_DENIED = (PermissionError, FileNotFoundError)


class FeedbackUploader:
    """Delivers each correction once, however often it is tried; several processes take turns.

    Args:
        store: Where corrections wait.
        url: Where they go: `s3://bucket/prefix`, or a folder; empty if they stay.
        pause_s: Between two looks into the store; twice as long after each failure.
        metrics: Counts what was delivered.
    """

    def __init__(self, store: FeedbackStore, url: str, pause_s: float, metrics: Metrics) -> None:
        self._store = store
        self._url = url
        self._pause_s = pause_s
        self._metrics = metrics
        self._failures = 0
        self._denials: Counter[str] = Counter()
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begins to deliver in the background, if there is anywhere to deliver to."""
        if self._url:
            # A daemon: what it does can be broken off at any point.
            threading.Thread(target=self._run, name="feedback-upload", daemon=True).start()

    def stop(self) -> None:
        """Ends the delivery after the correction that is under way."""
        self._stopped.set()

    def _run(self) -> None:
        target: FeedbackTarget | None = None
        while not self._stopped.wait(self._next_pause_s()):
            try:
                target = target or open_target(self._url)
                self._deliver_all(target)
            except Exception as error:  # of the disk, the network, or a library in between
                if not self._failures:  # once, not at every attempt
                    log_failure("feedback_not_delivered", error)
                self._failures += 1
            else:
                if self._failures:
                    log_event("feedback_delivered_again")
                self._failures = 0

    def _next_pause_s(self) -> float:
        longest_s = max(self._pause_s, _LONGEST_PAUSE_S)
        pause_s = min(self._pause_s * 2.0 ** min(self._failures, 32), longest_s)
        return pause_s * random.SystemRandom().uniform(0.5, 1.0)

    def _deliver_all(self, target: FeedbackTarget) -> None:
        """Raises what the target raised; where it denies single ones, when others were tried."""
        self._store.recount()
        with self._store.sole_delivery() as is_ours:
            denials = 0
            for job in self._jobs(target) if is_ours else ():
                try:
                    job()
                except _DENIED:
                    denials += 1
                    if denials == _MAX_DENIALS:
                        raise
            if denials:
                raise PermissionError(f"{denials} corrections cannot be delivered or deleted.")

    def _jobs(self, target: FeedbackTarget) -> Iterator[Callable[[], None]]:
        for deletion in self._store.deletions():
            yield partial(self._remove, target, deletion)
        for file_name in self._store.waiting():
            if self._stopped.is_set():
                return
            yield partial(self._deliver, target, file_name)

    def _remove(self, target: FeedbackTarget, deletion: StoredCorrection) -> None:
        if _holds(target, deletion):
            target.remove(deletion.place)
        self._store.forget(deletion)

    def _deliver(self, target: FeedbackTarget, file_name: str) -> None:
        correction = self._store.read(file_name)
        if correction is None:
            return
        try:
            # It may be there: of a process that was killed, or an answer that was lost.
            is_there = target.create(correction) or _holds(target, correction)
        except _DENIED as error:
            self._denials[correction.id] += 1
            if self._denials[correction.id] >= _MAX_TRIES:
                del self._denials[correction.id]
                self._store.set_aside(correction, str(error))
            raise
        self._denials.pop(correction.id, None)
        if not is_there:
            self._store.set_aside(correction, "another one lies in its place")
        elif self._store.mark_delivered(correction):
            self._metrics.count_delivered()


def _holds(target: FeedbackTarget, correction: StoredCorrection) -> bool:
    stored = target.read(correction.place)
    return stored is not None and stored.sha256 == correction.sha256
