"""How safely: versions that change under load, bad requests, slow clients."""

import asyncio
import contextlib
import time
from collections.abc import Iterable

from load.generator import HOST, ask_in_turn
from load.images import ask_badly, mix
from load.lab import Lab, tell_apart, wait_until
from load.registry import Registry
from load.servers import Server, start_service

_SILENT, _SLOW_BODIES = 200, 50
_CLOSED_WITHIN_S = 15.0
_POLL_S = 0.2
_LONG_S = 3600.0


async def swaps(lab: Lab) -> None:
    """New versions, and some that must be refused, while 16 connections ask."""
    registry = lab.registry
    answered_by: set[str] = set()
    requests = tell_apart(registry, lab.pages, answered_by)
    with start_service(registry, lab.folder, lab.cores, BUKVA_ALIAS_POLL_S=_POLL_S) as server:
        stop = asyncio.Event()
        load = asyncio.create_task(ask_in_turn([server.port], requests, 16, _LONG_S, stop))
        try:
            await wait_until(lambda: answered_by)  # by the first, before it is replaced
            wrongly_served, seconds = await _change_versions(server, registry)
            await wait_until(lambda: list(registry.sound)[-1] in answered_by)  # before the end
        finally:
            stop.set()
            registry.move_alias("1")
        tally = await load
    lab.report.add("swaps: answers while versions change", tally.count())
    lab.report.require_right("swaps", tally)
    lab.report.require("swaps: versions that answered", len(answered_by), lab.swaps + 1)
    lab.report.require(f"swaps: of {lab.refused} broken versions served", wrongly_served)
    lab.report.add("swaps: seconds of it all", seconds)
    lab.report.add("swaps: p99, ms", tally.percentile_ms(99))


async def mixed(lab: Lab) -> None:
    """A fifth of the requests bad, over 16 connections."""
    good = lab.requests()
    with start_service(lab.registry, lab.folder, lab.cores) as server:
        await lab.warm_up([server], good)
        alone = await lab.load([server], good, connections=16)
        both = await lab.load([server], mix((good, 80), (ask_badly(), 20)), connections=16)
    lab.report.require_right("mixed, the good alone", alone)
    lab.report.require_right("mixed", both)
    for status in sorted({status for _, status in both.timings}):
        lab.report.add(f"mixed: answers with {status}", both.count(status=status))
    ratio = both.percentile_ms(99, "good") / alone.percentile_ms(99, "good")
    lab.report.add("mixed: p99 of the good, times that without bad", ratio, most=1.5)


async def slow(lab: Lab) -> None:
    """Clients that say nothing or send a byte a second, while 8 connections ask."""
    with start_service(lab.registry, lab.folder, lab.cores) as server:
        await lab.warm_up([server], lab.requests())
        begun = asyncio.gather(
            _end_all(server, _SILENT, b"", lab.seconds),
            _end_all(server, _SLOW_BODIES, _BODY_TO_COME, lab.seconds),
        )
        tally = await lab.load([server], lab.requests(), connections=8)
        silent, slow_bodies = await begun
    lab.report.require_right("slow", tally)
    lab.report.require("slow: good answers, share", tally.count(status=200) / tally.count(), 1)
    lab.report.add("slow: p99 of the good, ms", tally.percentile_ms(99))
    if lab.seconds > _CLOSED_WITHIN_S:
        within = f"ended within {_CLOSED_WITHIN_S:g} s"
        lab.report.add(f"slow: of {_SLOW_BODIES} slow bodies {within}", slow_bodies, least=50)
        lab.report.add(f"slow: of {_SILENT} silent connections {within}", silent)


_BODY_TO_COME = (
    f"POST /v1/predict HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n"
    "Content-Length: 5000\r\n\r\n"
).encode("ascii")


async def _end_all(server: Server, connections: int, head: bytes, seconds: float) -> int:
    """How many of so many slow connections the service ends in time."""
    patience_s = min(_CLOSED_WITHIN_S, seconds)
    ended = await asyncio.gather(*(_is_ended(server, head, patience_s) for _ in range(connections)))
    return sum(ended)


async def _is_ended(server: Server, head: bytes, patience_s: float) -> bool:
    reader, writer = await asyncio.open_connection(HOST, server.port)
    writer.write(head)
    heard = asyncio.create_task(reader.read(1))
    until_s = time.perf_counter() + patience_s
    while not heard.done() and time.perf_counter() < until_s:
        if head:
            writer.write(b" ")
        await asyncio.wait([heard], timeout=min(1.0, patience_s))
    is_ended = heard.done()
    heard.cancel()
    writer.close()
    with contextlib.suppress(OSError, asyncio.CancelledError):
        await heard
    return is_ended


async def _change_versions(server: Server, registry: Registry) -> tuple[int, float]:
    """Moves the alias along all versions; returns how many unsound ones came to be served."""
    started_s = time.perf_counter()
    wrongly_served = 0
    served = next(iter(registry.sound))
    for version in _in_turn(list(registry.sound)[1:], list(registry.refused)):
        await asyncio.to_thread(registry.move_alias, version)
        if version in registry.sound:
            await wait_until(lambda wanted=version: _state_of(server) == (wanted, False))
            served = version
        else:
            await wait_until(lambda wanted=version: _is_settled(server, wanted))
            wrongly_served += _state_of(server)[0] != served
    return wrongly_served, time.perf_counter() - started_s


def _in_turn(sound: list[str], refused: list[str]) -> Iterable[str]:
    """Sound versions with the refused ones spread between them; a sound one first and last."""
    stride = max(1, len(sound) // (len(refused) + 1))
    for place, version in enumerate(sound):
        yield version
        if place % stride == stride - 1 and refused and place < len(sound) - 1:
            yield refused.pop(0)
    for version in refused:
        yield version
        yield sound[-1]


def _state_of(server: Server) -> tuple[str, bool]:
    """The version that is served, and whether another one is refused."""
    ready = server.get("/readyz")
    return ready["model"]["version"], ready["warning"] is not None


def _is_settled(server: Server, wanted: str) -> bool:
    version, is_warned = _state_of(server)
    return is_warned or version == wanted
