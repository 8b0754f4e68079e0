"""One change of what is in production at a time, whatever the registry is kept in.

MLflow has no compare-and-set, but it numbers the entries of the log. Whoever wants to change
something appends an entry and waits until all before it are closed, or until nothing was heard
of their writers for as long as a lease lasts. All times are the registry's, so that clocks need
not agree. On PostgreSQL an advisory lock is taken besides, which also holds where somebody was
stopped for longer than a lease.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import mlflow
from sqlalchemy import create_engine, text

from bukva.errors import PromotionConflictError
from bukva.model_registry.promotion_log import (
    Action,
    LogEntry,
    append_entry,
    close_entry,
    read_log,
    renew,
)

LEASE_S: Final = 20.0
"""Who is not heard of for so long is taken for dead."""
_HOLD_S: Final = LEASE_S / 2
_POLL_S: Final = 0.2


@dataclass(frozen=True)
class Turn:
    """The right to change what is in production.

    Attributes:
        entry: The log entry of whoever has it.
        unfinished: Older entries whose writers died.
        until_s: When it may no longer be used, by `time.monotonic`.
    """

    entry: LogEntry
    unfinished: tuple[LogEntry, ...]
    until_s: float

    def check(self) -> None:
        """Return if it may still be used.

        Raises:
            PromotionConflictError: If not: somebody else may have it.
        """
        if time.monotonic() > self.until_s:
            message = f"Expected the registry to answer within {_HOLD_S:g} s, it took longer:"
            raise PromotionConflictError(f"{message} nothing was changed. Try again.")


@contextmanager
def take_turn(name: str, action: Action, version: str, former: str, why: str) -> Iterator[Turn]:
    """Wait for the turn to change what is in production.

    The entry is closed as `refused` where a conflict ends the turn. After any other error it stays
    open, as it does when this process is killed: whoever comes next finishes it.

    Args:
        name: Of the registered model.
        action: What is to be done.
        version: What is to be in production.
        former: What is expected to be there, empty if nothing is.
        why: For the log.
    """
    with _advisory_lock(name):
        entry = append_entry(name, action, version, former, why)
        unfinished = _wait_for_others(name, entry)
        try:
            yield Turn(entry, unfinished, time.monotonic() + _HOLD_S)
        except PromotionConflictError:
            close_entry(name, entry, "refused")
            raise


def _wait_for_others(name: str, entry: LogEntry) -> tuple[LogEntry, ...]:
    """Return the open entries before one whose writers are dead, once no other is left."""
    while True:
        now_ms = renew(name, entry)
        before = [
            item for item in read_log(name) if item.number < entry.number and item.state == "begun"
        ]
        if all(now_ms - item.alive_ms > 1000 * LEASE_S for item in before):
            return tuple(before)
        time.sleep(_POLL_S)


@contextmanager
def _advisory_lock(name: str) -> Iterator[None]:
    """Hold a lock of PostgreSQL, where MLflow is asked without a server between."""
    uri = mlflow.get_tracking_uri()
    if not uri.startswith("postgresql"):
        yield
        return
    key = int.from_bytes(sha256(f"bukva promotion {name}".encode()).digest()[:8], signed=True)
    engine = create_engine(uri)
    try:
        # Closing the connection, which also a kill does, releases the lock.
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": key})
            yield
    finally:
        engine.dispose()
