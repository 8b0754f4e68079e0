"""How fast: one connection, many beside the peers, four times too many, a start."""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import numpy as np

from load.generator import Request, Tally, ask_at_rate
from load.images import Answer, ask_mlflow, ask_peer
from load.lab import Lab
from load.servers import (
    Server,
    start_canned,
    start_mlflow,
    start_peer,
    start_service,
    start_services,
)

_MOST_CONNECTIONS = 400  # below what the service takes; what it refuses is then refused by it
_WINDOW_S = 0.5


async def one(lab: Lab) -> None:
    """One request at a time."""
    requests = lab.requests()
    with start_service(lab.registry, lab.folder, lab.cores) as server:
        await lab.warm_up([server], requests)
        tally = await lab.load([server], requests, connections=1)
    lab.report.require_right("one connection", tally)
    lab.report.add("one connection: p50, ms", tally.percentile_ms(50), most=3)
    lab.report.add("one connection: p99, ms", tally.percentile_ms(99), most=12)


async def many(lab: Lab) -> None:
    """Many connections, and the same images asked of the peers in the same run."""
    await _measure_generator(lab)
    with start_services(lab.registry, lab.folder, lab.cores, lab.workers) as servers:
        rate = await _measure(lab, "the service", servers, lab.requests())
    lab.report.add("the service: requests/s", rate, least=600)
    mlflow_rate = await _measure_peer(
        lab,
        "mlflow models serve",
        lambda: start_mlflow(lab.registry, lab.cores, lab.workers),
        ask_mlflow,
    )
    peer_rate = await _measure_peer(
        lab, "multipart, torch eager", lambda: start_peer(lab.cores), ask_peer
    )
    lab.report.add("times the rate of mlflow models serve", rate / mlflow_rate, least=5)
    lab.report.add("times the rate of multipart, torch eager", rate / peer_rate, least=3)


async def _measure_generator(lab: Lab) -> None:
    """Says what the generator can ask by itself, so that it is seen not to be the limit."""
    request = lab.requests()[0]
    model = {"name": "canned", "version": "1", "alias": "prod"}
    body = json.dumps(lab.answers[0] | {"model": model}).encode()
    with start_canned(body, lab.cores) as server:
        tally = await lab.load([server], [request], seconds=min(lab.seconds, 3))
    lab.report.require_right("the generator against a canned answer", tally)
    lab.report.add("the generator by itself: requests/s", tally.rate(min(lab.seconds, 3)))


async def _measure_peer(
    lab: Lab,
    name: str,
    start: Callable[[], AbstractContextManager[Server]],
    ask: Callable[[bytes, Answer], Request],
) -> float:
    pairs = zip(lab.pages, lab.answers, strict=True)
    with start() as server:
        rate = await _measure(lab, name, [server], [ask(page, answer) for page, answer in pairs])
    lab.report.add(f"{name}: requests/s", rate)
    return rate


async def _measure(
    lab: Lab, name: str, servers: Sequence[Server], requests: Sequence[Request]
) -> float:
    await lab.warm_up(servers, requests)
    tally = await lab.load(servers, requests)
    bounds = {"most": 150.0} if name == "the service" else {}
    lab.report.require_right(name, tally)
    lab.report.add(f"{name}: p50, ms", tally.percentile_ms(50))
    lab.report.add(f"{name}: p99, ms", tally.percentile_ms(99), **bounds)
    lab.report.add(f"{name}: memory, MB", sum(server.memory_mb for server in servers))
    return tally.rate(lab.seconds)


async def overload(lab: Lab) -> None:
    """Four times what it can take, whether or not it answers; then as much as it can take."""
    requests, patient = lab.requests(may_refuse=True), lab.requests()
    with start_services(lab.registry, lab.folder, lab.cores, lab.workers) as servers:
        await lab.warm_up(servers, patient)
        before = await lab.load(servers, patient)
        capacity = before.rate(lab.seconds)
        ports = [server.port for server in servers]
        during = await ask_at_rate(ports, requests, 4 * capacity, lab.seconds, _MOST_CONNECTIONS)
        after = await lab.load(servers, requests, seconds=min(2 * lab.seconds, 10.0))
    lab.report.require_right("before overload", before)
    lab.report.require_right("overload", during)
    lab.report.add("overload: asked a second", 4 * capacity)
    lab.report.add("overload: not sent, all connections waiting", during.unsent, most=0)
    lab.report.add("overload: accepted, p99, ms", during.percentile_ms(99), most=500)
    refused_ms = during.percentile_ms(99, status=503)
    lab.report.add("overload: refused", during.count(status=503))
    if during.count(status=503):
        lab.report.add("overload: refused, p99, ms", refused_ms, most=20)
    goodput = during.rate(lab.seconds) / capacity
    lab.report.add("overload: accepted, share of the capacity", goodput, least=0.8)
    lab.report.require_right("after overload", after)
    lab.report.add("after overload: as before within, s", find_recovery_s(before, after), most=5)


def find_recovery_s(before: Tally, after: Tally) -> float:
    """Seconds until answers are all accepted and as fast as they were before; NaN if never."""
    usual_ms = 1.1 * before.percentile_ms(99)
    ended = after.came_s()
    refused_s = after.came_s(status=503)
    good_s, took_ms = after.came_s(status=200), after.took_ms(status=200)
    for start_s in np.arange(0, ended.max(), _WINDOW_S):
        is_refused = ((refused_s >= start_s) & (refused_s < start_s + _WINDOW_S)).any()
        in_window = (good_s >= start_s) & (good_s < start_s + _WINDOW_S)
        if not is_refused and in_window.any() and np.percentile(took_ms[in_window], 99) <= usual_ms:
            return float(start_s)
    return float("nan")


async def start(lab: Lab) -> None:
    """From nothing to the first answer."""
    started_s = time.perf_counter()
    command = [sys.executable, "-c", "import bukva.serving.app"]
    done = await asyncio.create_subprocess_exec(*command)
    await done.wait()
    lab.report.add("start: import of the application, s", time.perf_counter() - started_s)
    starts_s, memory_mb = [], []
    for _ in range(3):
        with start_service(lab.registry, lab.folder, lab.cores) as server:
            starts_s.append(server.start_s)
            memory_mb.append(server.memory_mb)
    lab.report.add("start: until ready, median of 3, s", float(np.median(starts_s)), most=4)
    lab.report.add("start: memory, MB", max(memory_mb), most=400)
