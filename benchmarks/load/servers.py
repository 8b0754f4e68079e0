"""Servers as an operator starts them, each in a process of its own, on cores of its own."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from load.generator import HOST
from load.registry import NAME, Registry

_HERE = Path(__file__).parent
_PATIENCE_S = 300.0


@dataclass(frozen=True)
class Cores:
    """Which processor cores the servers and the generator may use; empty: any."""

    servers: frozenset[int]
    generator: frozenset[int]

    @classmethod
    def choose(cls, servers: str | None, generator: str | None) -> "Cores":
        """Cores as given ("0,1"), or the last one for the generator and the others for servers."""
        if not hasattr(os, "sched_setaffinity"):
            return cls(frozenset(), frozenset())
        there = sorted(os.sched_getaffinity(0))
        return cls(
            _parse(servers) or frozenset(there[:-1] or there),
            _parse(generator) or frozenset(there[-1:]),
        )

    def __str__(self) -> str:
        names = [
            ",".join(map(str, sorted(each))) or "any" for each in (self.servers, self.generator)
        ]
        return f"servers on core {names[0]}, generator on core {names[1]}"

    @contextmanager
    def pinned(self) -> Iterator[None]:
        """Keeps this process on the generator's cores; those that it starts begin there too."""
        before = frozenset(os.sched_getaffinity(0)) if self.generator else frozenset[int]()
        pin(0, self.generator)
        try:
            yield
        finally:
            pin(0, before)


def _parse(cores: str | None) -> frozenset[int]:
    return frozenset(map(int, cores.split(","))) if cores else frozenset()


def pin(process_id: int, cores: frozenset[int]) -> None:
    """Keeps a process on cores, if there are any named."""
    if cores:
        os.sched_setaffinity(process_id, cores)


@dataclass(frozen=True)
class Server:
    """A process that answers.

    Attributes:
        port: Where.
        process: It, and below it its children.
        start_s: From its start until it was ready.
    """

    port: int
    process: psutil.Process
    start_s: float

    @property
    def memory_mb(self) -> float:
        """Resident memory of it and its children, in 10^6 bytes."""
        family = [self.process, *self.process.children(recursive=True)]
        return sum(each.memory_info().rss for each in family) / 1e6

    def get(self, path: str) -> dict[str, Any]:
        """The JSON at an address."""
        import json

        with urllib.request.urlopen(f"http://{HOST}:{self.port}{path}", timeout=10) as answer:
            found: dict[str, Any] = json.load(answer)
        return found


@contextmanager
def start_service(
    registry: Registry, folder: Path, cores: Cores, **environment: object
) -> Iterator[Server]:
    """`python -m bukva.serving`, ready; what the environment says of it holds."""
    port = _free_port()
    settings = {
        "BUKVA_PORT": port,
        "BUKVA_TRACKING_URI": registry.uri,
        "BUKVA_FEEDBACK_FOLDER": folder / "feedback",
        **environment,
    }
    with _start(
        [sys.executable, "-m", "bukva.serving"], port, "/readyz", cores, settings
    ) as server:
        yield server


@contextmanager
def start_services(
    registry: Registry, folder: Path, cores: Cores, workers: int
) -> Iterator[list[Server]]:
    """So many of them, as behind a proxy."""
    with ExitStack() as stack:
        yield [stack.enter_context(start_service(registry, folder, cores)) for _ in range(workers)]


@contextmanager
def start_mlflow(registry: Registry, cores: Cores, workers: int) -> Iterator[Server]:
    """`mlflow models serve` of the released model."""
    port = _free_port()
    program = Path(sys.executable).with_name("mlflow")
    command = [program, "models", "serve", f"--model-uri=models:/{NAME}/1", "--env-manager=local"]
    command += [f"--port={port}", f"--host={HOST}", f"--workers={workers}"]
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"  # it starts uvicorn by its name
    settings = {"MLFLOW_TRACKING_URI": registry.uri, "OMP_NUM_THREADS": 1, "PATH": path}
    with _start(command, port, "/ping", cores, settings) as server:
        yield server


@contextmanager
def start_peer(cores: Cores) -> Iterator[Server]:
    """The endpoint of the peer's shape."""
    port = _free_port()
    command = [sys.executable, _HERE / "peer_endpoint.py", str(port)]
    with _start(command, port, "/livez", cores, {}) as server:
        yield server


@contextmanager
def start_canned(body: bytes, cores: Cores) -> Iterator[Server]:
    """The server that says one thing."""
    port = _free_port()
    command = [sys.executable, _HERE / "canned_server.py", str(port)]
    with _start(command, port, "/", cores, {}, stdin=body) as server:
        yield server


@contextmanager
def _start(
    command: Sequence[object],
    port: int,
    ready_path: str,
    cores: Cores,
    environment: Mapping[str, object],
    stdin: bytes = b"",
) -> Iterator[Server]:
    started_s = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603
        list(map(str, command)),
        env=os.environ | {name: str(value) for name, value in environment.items()},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        pin(process.pid, cores.servers)
        if process.stdin:
            process.stdin.write(stdin)
            process.stdin.close()
        _wait_until_ready(process, f"http://{HOST}:{port}{ready_path}", started_s)
        yield Server(port, psutil.Process(process.pid), time.perf_counter() - started_s)
    finally:
        _end(process)


def _wait_until_ready(process: subprocess.Popen[bytes], address: str, started_s: float) -> None:
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310
                return
        except OSError as error:
            if process.poll() is not None or time.perf_counter() > started_s + _PATIENCE_S:
                message = f"Expected {address} to answer 200, got {error}: {process.args!r}"
                raise RuntimeError(message) from error
            time.sleep(0.01)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends it and its children, by their ids; those of `mlflow models serve` outlive it."""
    try:
        children = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        children = []
    for each in (process, *children):
        try:
            each.terminate()
        except psutil.NoSuchProcess:
            continue
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    psutil.wait_procs(children, timeout=20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
