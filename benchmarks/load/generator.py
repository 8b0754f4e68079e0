"""Requests over raw keep-alive connections, at a pace, and what came of them.

Two paces: each connection asks again when it is answered (`ask_in_turn`), or requests come at a
rate, whether or not the former ones are answered (`ask_at_rate`). Every answer is checked.
"""

import asyncio
import re
import time
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count, cycle

import numpy as np

HOST = "127.0.0.1"
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_CLOSES = re.compile(rb"connection: *close", re.IGNORECASE)
_PATIENCE_S = 30.0  # for answers that are still out when the time is over


@dataclass(frozen=True)
class Request:
    """One request, ready to be sent.

    Attributes:
        kind: Under what it is counted.
        payload: Its bytes, head and body.
        check: Says of status and body of an answer what is wrong with it; "" if nothing is.
    """

    kind: str
    payload: bytes
    check: Callable[[int, bytes], str]


@dataclass
class Timings:
    """Of answers of one kind and status: when each came, and how long after it was asked for."""

    came_s: "array[float]" = field(default_factory=lambda: array("d"))
    took_s: "array[float]" = field(default_factory=lambda: array("d"))


@dataclass
class Tally:
    """What came of the requests of one run."""

    started_s: float = field(default_factory=time.perf_counter)
    timings: dict[tuple[str, int], Timings] = field(default_factory=lambda: defaultdict(Timings))
    wrong: Counter[str] = field(default_factory=Counter)
    unsent: int = 0

    def note(self, request: Request, asked_s: float, status: int, body: bytes) -> None:
        """Counts an answer that came now."""
        now_s = time.perf_counter()
        timings = self.timings[request.kind, status]
        timings.came_s.append(now_s - self.started_s)
        timings.took_s.append(now_s - asked_s)
        if fault := request.check(status, body):
            self.wrong[f"{request.kind}: {fault}"] += 1

    def count(self, kind: str | None = None, status: int | None = None) -> int:
        """How many answers of a kind and a status came."""
        return len(self.took_ms(kind, status))

    def took_ms(self, kind: str | None = None, status: int | None = None) -> np.ndarray:
        """Milliseconds of each answer of a kind and a status."""
        return 1e3 * self._gather("took_s", kind, status)

    def came_s(self, kind: str | None = None, status: int | None = None) -> np.ndarray:
        """Seconds since the start at which each answer of a kind and a status came."""
        return self._gather("came_s", kind, status)

    def percentile_ms(self, share: float, kind: str | None = None, status: int = 200) -> float:
        """Percentile (0..100) of the answers' milliseconds; NaN if there are none."""
        took_ms = self.took_ms(kind, status)
        return float(np.percentile(took_ms, share)) if len(took_ms) else float("nan")

    def rate(self, seconds: float, kind: str | None = None, status: int = 200) -> float:
        """Answers a second, of those that came within the time."""
        return float((self.came_s(kind, status) <= seconds).sum() / seconds)

    def _gather(self, name: str, kind: str | None, status: int | None) -> np.ndarray:
        parts = [
            np.asarray(getattr(timings, name))
            for (its_kind, its_status), timings in self.timings.items()
            if kind in (None, its_kind) and status in (None, its_status)
        ]
        return np.concatenate(parts) if parts else np.empty(0)


class Connection(asyncio.Protocol):
    """A keep-alive connection that asks for one thing at a time."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._transport: asyncio.Transport
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self.is_open = False

    @classmethod
    async def to(cls, port: int) -> "Connection":
        """Returns an open one."""
        _, connection = await asyncio.get_running_loop().create_connection(cls, HOST, port)
        return connection

    async def ask(self, payload: bytes) -> tuple[int, bytes]:
        """Returns status and body of the answer; ConnectionError if it was closed instead."""
        if not self.is_open:
            raise ConnectionResetError("it was closed before")
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(payload)
        return await self._answer

    def close(self) -> None:
        """Closes it."""
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop."""
        self._transport = transport
        self.is_open = True

    def connection_lost(self, error: Exception | None) -> None:
        """Called by the loop."""
        self.is_open = False
        if self._answer and not self._answer.done():
            self._answer.set_exception(error or ConnectionResetError("closed without an answer"))

    def data_received(self, data: bytes) -> None:
        """Called by the loop."""
        self._buffer += data
        head_end = self._buffer.find(b"\r\n\r\n")
        if head_end < 0:
            return
        length = _LENGTH.search(self._buffer, 0, head_end)
        end = head_end + 4 + (int(length[1]) if length else 0)
        if len(self._buffer) < end:
            return
        status, body = int(self._buffer[9:12]), bytes(self._buffer[head_end + 4 : end])
        if _CLOSES.search(self._buffer, 0, head_end):
            self.is_open = False
        self._buffer.clear()
        if self._answer and not self._answer.done():
            self._answer.set_result((status, body))


async def ask_in_turn(
    ports: Sequence[int],
    requests: Sequence[Request],
    connections: int,
    seconds: float,
    stop: asyncio.Event | None = None,
) -> Tally:
    """Asks over so many connections, over each again as soon as it is answered.

    Args:
        ports: Of the servers, among which connections are shared out.
        requests: What is asked, in this order and then again.
        connections: How many.
        seconds: How long.
        stop: Ends it before.
    """
    tally = Tally()
    turns = count()
    stop = stop or asyncio.Event()

    async def keep_asking(port: int) -> None:
        connection = await Connection.to(port)
        while time.perf_counter() < tally.started_s + seconds and not stop.is_set():
            if not connection.is_open:
                connection = await Connection.to(port)
            await _ask(connection, requests[next(turns) % len(requests)], tally)
        connection.close()

    async with asyncio.timeout(seconds + _PATIENCE_S), asyncio.TaskGroup() as group:
        for _, port in zip(range(connections), cycle(ports), strict=False):
            group.create_task(keep_asking(port))
    return tally


async def ask_at_rate(
    ports: Sequence[int],
    requests: Sequence[Request],
    rate: float,
    seconds: float,
    connections: int,
) -> Tally:
    """Asks `rate` times a second; what finds all connections waiting is counted as unsent."""
    places = [port for _, port in zip(range(connections), cycle(ports), strict=False)]
    idle = [(port, await Connection.to(port)) for port in places]
    tally = Tally()

    async def ask(request: Request, port: int, connection: Connection) -> None:
        if not connection.is_open:
            connection = await Connection.to(port)
        await _ask(connection, request, tally)
        idle.append((port, connection))

    async with asyncio.timeout(seconds + _PATIENCE_S), asyncio.TaskGroup() as group:
        for turn in range(round(rate * seconds)):
            early_s = tally.started_s + turn / rate - time.perf_counter()
            # Sleeping is not exact below a millisecond: several that are due go together.
            await asyncio.sleep(max(early_s, 0.0)) if early_s > 1e-3 or turn % 8 == 0 else None
            if idle:
                group.create_task(ask(requests[turn % len(requests)], *idle.pop()))
            else:
                tally.unsent += 1
    for _, connection in idle:
        connection.close()
    return tally


async def _ask(connection: Connection, request: Request, tally: Tally) -> None:
    asked_s = time.perf_counter()
    try:
        status, body = await connection.ask(request.payload)
    except OSError as error:
        tally.wrong[f"{request.kind}: {type(error).__name__}"] += 1
    else:
        tally.note(request, asked_s, status, body)
