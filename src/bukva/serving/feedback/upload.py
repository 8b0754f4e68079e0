"""Takes corrections from the store to where they are wanted, in a thread of its own.

A request never waits for it: what is acknowledged lies in the store, and goes when it can.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

from bukva.correction import Correction
from bukva.serving.feedback.store import FeedbackStore
from bukva.serving.feedback.target import FeedbackTarget, open_target
from bukva.serving.logs import log_event, log_failure
from bukva.serving.metrics import Metrics

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
                self._report(error)
            else:
                self._report(None)

    def _next_pause_s(self) -> float:
        longest_s = max(self._pause_s, _LONGEST_PAUSE_S)
        pause_s = min(self._pause_s * 2.0 ** min(self._failures, 32), longest_s)
        return pause_s * random.SystemRandom().uniform(0.5, 1.0)

    def _report(self, error: Exception | None) -> None:
        if error and not self._failures:  # once, not at every attempt
            log_failure("feedback_not_delivered", error)
        elif self._failures and not error:
            log_event("feedback_delivered_again")
        self._failures = self._failures + 1 if error else 0

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

    def _remove(self, target: FeedbackTarget, deletion: Correction) -> None:
        stored = target.read(deletion.place)
        if stored and stored.sha256 == deletion.sha256:
            target.remove(deletion.place)
        self._store.forget(deletion)

    def _deliver(self, target: FeedbackTarget, file_name: str) -> None:
        correction = self._store.read(file_name)
        if correction is None:
            return
        try:
            is_there = target.create(correction) or _holds(target, correction)
        except _DENIED as error:
            self._note_denial(correction, error)
            raise
        self._denials.pop(correction.id, None)
        if not is_there:
            self._store.set_aside(correction, "another one lies in its place")
        elif self._store.mark_delivered(correction):
            self._metrics.count_delivered()

    def _note_denial(self, correction: Correction, error: OSError) -> None:
        self._denials[correction.id] += 1
        if self._denials[correction.id] >= _MAX_TRIES:
            del self._denials[correction.id]
            self._store.set_aside(correction, str(error))


def _holds(target: FeedbackTarget, correction: Correction) -> bool:
    """Whether it was delivered before, by a process that was killed or an answer that was lost."""
    stored = target.read(correction.place)
    return stored is not None and stored.sha256 == correction.sha256
