"""Requests to a tracking server that whoever makes them need not wait for."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from bukva.errors import TrackingUnreachableError
from bukva.model_registry.journal import Journal, Request

logger = logging.getLogger(__name__)

WAIT_S: Final = 1.0
"""How long a caller waits for an answer before he goes on without it."""
_FIRST_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 5.0

Send = Callable[[Request], Any]
"""Sends a request and returns the answer; raises TrackingUnreachableError where there is none."""


class _Delivery:
    """A request on its way.

    Attributes:
        was_tried: Set when it was answered, or could not be sent.
        is_over: Whether it was answered, by the answer or the error here.
        is_kept: Whether nobody waits for it any more: it is in the journal.
    """

    def __init__(self, request: Request) -> None:
        self.request = request
        self.was_tried = threading.Event()
        self.is_over = False
        self.is_kept = False
        self.answer: Any = None
        self.error: Exception | None = None


class Deliveries:
    """Sends requests in their order, from a thread of its own.

    While the server answers, `post` is as if there were no thread: it returns the answer, and
    raises what the server refuses. Where it does not, the request is kept in the journal and sent
    again until it is taken.
    """

    def __init__(self, send: Send, journal: Journal) -> None:
        self._send = send
        self._journal = journal
        self._waiting: deque[_Delivery] = deque()
        self._changed = threading.Condition()
        self._is_away = False
        self._thread: threading.Thread | None = None

    def post(self, request: Request) -> Any:
        """Send a request, and wait a second for the answer.

        Returns:
            The answer; None where it is delivered later.
        """
        delivery = _Delivery(request)
        with self._changed:
            self._start()
            self._waiting.append(delivery)
            self._changed.notify_all()
            is_away = self._is_away
        if not is_away:
            delivery.was_tried.wait(WAIT_S)
        with self._changed:
            if not delivery.is_over:
                self._journal.append(request)
                delivery.is_kept = True
                self._note_absence("it is silent")
                return None
        if delivery.error is not None:
            raise delivery.error
        return delivery.answer

    def wait(self, timeout_s: float) -> int:
        """Wait until everything is delivered; return how much is not."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting, timeout_s)
            return len(self._waiting)

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._deliver_all, name="tracking", daemon=True)
            self._thread.start()

    def _deliver_all(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                delivery = self._waiting[0]
            try:
                delivery.answer = self._send(delivery.request)
            except TrackingUnreachableError as error:
                with self._changed:
                    self._note_absence(str(error))
                delivery.was_tried.set()
                time.sleep(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
                continue
            except Exception as error:  # what the server refuses is for the caller
                delivery.error = error
            self._note_end(delivery)
            pause_s = _FIRST_PAUSE_S

    def _note_absence(self, why: str) -> None:
        """Let nobody else wait; the caller has the lock."""
        if not self._is_away:
            logger.warning("The tracking server is away (%s): what is logged is kept.", why)
        self._is_away = True

    def _note_end(self, delivery: _Delivery) -> None:
        with self._changed:
            if self._is_away:
                logger.info("The tracking server is back, and %d behind.", len(self._waiting))
            self._is_away = False
            self._waiting.popleft()
            delivery.is_over = True
            if delivery.is_kept and delivery.error is not None:
                self._journal.set_aside(delivery.request, str(delivery.error))
                logger.warning("MLflow refused %s", delivery.error)
            if not self._waiting:
                self._journal.clear()
            self._changed.notify_all()
        delivery.was_tried.set()
