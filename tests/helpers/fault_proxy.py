"""A proxy between a client and an S3 server, which misbehaves as it is told.

One connection carries one request: what is cut, held up or answered is never another one.
"""

import asyncio
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields
from typing import NamedTuple
from urllib.parse import urlsplit

_CHUNK_BYTES = 65536


@dataclass
class Fault:
    """What happens to the next requests that match.

    Attributes:
        request: Regular expression, searched for in such as `PUT /bukva/a?partNumber=1`.
        times: How many requests.
        passing: How many matching requests are let through before.
        answer: Status and code of S3 that are answered in place of the server.
        up_bytes: So many bytes of the request's body come through, then it is cut.
        down_bytes: So many bytes of the answer come through, then it is cut.
        is_silent: Instead of cutting, nothing comes through any more.
        delay_s: Pause before the request goes on.
        then: Called before it is cut.
    """

    request: str = ""
    times: int = 1
    passing: int = 0
    answer: tuple[int, str] | None = None
    up_bytes: int | None = None
    down_bytes: int | None = None
    is_silent: bool = False
    delay_s: float = 0.0
    then: Callable[[], object] | None = None

    def takes(self, request: str) -> bool:
        """Whether this request is one of those; counts it."""
        if not self.times or not re.search(self.request, request):
            return False
        if self.passing:
            self.passing -= 1
            return False
        self.times -= 1
        return True

    def __str__(self) -> str:
        """What differs from no fault at all, as the name of a test."""
        told = {item.name: getattr(self, item.name) for item in fields(self)}
        return " ".join(f"{name}={value}" for name, value in told.items() if value)


class Head(NamedTuple):
    """The head of a request; `waits` if its body comes only when it is asked for."""

    request: str
    lines: list[bytes]
    body_bytes: int
    waits: bool

    def closing(self) -> bytes:
        """The head as it is sent on: the server closes the connection when it has answered."""
        first, *others = (line for line in self.lines if not line.lower().startswith(b"connection"))
        return b"\r\n".join([first, b"Connection: close", *others, b"", b""])


class _CutError(Exception):
    """As many bytes came through as were to."""


@dataclass
class FaultProxy:
    """A running proxy: its address, what was asked for, and what is to go wrong."""

    server: tuple[str, int]
    url: str = ""
    faults: list[Fault] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    _serving: set[object] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # The loop itself forgets a task that waits for nobody but its own streams.
        self._serving.add(asyncio.current_task())
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = _parse(await reader.readuntil(b"\r\n\r\n"))
            self.requests.append(head.request)
            fault = next((fault for fault in self.faults if fault.takes(head.request)), Fault())
            await asyncio.sleep(fault.delay_s)
            if fault.answer:
                await _answer(reader, writer, head, *fault.answer)
            else:
                await self._pass_on(reader, writer, head, fault)
        writer.close()

    async def _pass_on(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        head: Head,
        fault: Fault,
    ) -> None:
        answers, server = await asyncio.open_connection(*self.server)
        try:
            server.write(head.closing())
            async with asyncio.TaskGroup() as both:
                up = both.create_task(_pump(reader, server, fault.up_bytes))
                await _pump(answers, writer, fault.down_bytes)
                up.cancel()
        except* _CutError:
            if fault.then:
                fault.then()
            if fault.is_silent:
                await asyncio.sleep(3600)
            writer.transport.abort()
        except* OSError:
            pass  # one of the two went away
        finally:
            server.transport.abort()


async def _pump(
    source: asyncio.StreamReader, sink: asyncio.StreamWriter, limit: int | None
) -> None:
    """Pass on what comes until there is no more, or more than is allowed."""
    allowed = float("inf") if limit is None else limit
    while chunk := await source.read(_CHUNK_BYTES):
        if len(chunk) > allowed:
            sink.write(chunk[: int(allowed)])
            await sink.drain()
            raise _CutError
        sink.write(chunk)
        await sink.drain()
        allowed -= len(chunk)


async def _answer(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: Head, status: int, code: str
) -> None:
    if head.waits:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    await reader.readexactly(head.body_bytes)
    body = b"" if head.request.startswith("HEAD") else _error_document(code)
    lines = f"HTTP/1.1 {status} {code}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    writer.write(lines.encode() + body)
    await writer.drain()


def _error_document(code: str) -> bytes:
    return f"<Error><Code>{code}</Code><Message>by the proxy</Message></Error>".encode()


def _parse(head: bytes) -> Head:
    lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    method, target, _ = lines[0].decode().split(" ")
    found = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    waits = b"100-continue" in head.lower()
    return Head(f"{method} {target}", lines, int(found[1]) if found else 0, waits)


@contextmanager
def run_proxy(server_url: str) -> Iterator[FaultProxy]:
    """The proxy before a server, in a thread."""
    address = urlsplit(server_url)
    proxy = FaultProxy((str(address.hostname), int(address.port or 80)))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> asyncio.Server:
        return await asyncio.start_server(proxy.serve, "127.0.0.1", 0)

    listening = asyncio.run_coroutine_threadsafe(start(), loop).result(timeout=10)
    proxy.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        asyncio.run_coroutine_threadsafe(_stop(listening), loop).result(timeout=10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=10)
        loop.close()


async def _stop(listening: asyncio.Server) -> None:
    listening.close()
    serving = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in serving:
        task.cancel()
    await asyncio.gather(*serving, return_exceptions=True)
