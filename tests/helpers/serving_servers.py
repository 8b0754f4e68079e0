"""Real servers: a process of its own as an operator starts it, or a thread where that is enough."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import mlflow
import psutil

from bukva.serving.app import create_app
from bukva.serving.server import Server as HttpServer
from bukva.serving.settings import Settings


@dataclass
class Server:
    """A server under test, and the lines of its log."""

    base_url: str
    http: httpx.Client
    process: subprocess.Popen | None = None
    log: list[dict] = field(default_factory=list)

    def answers(self, path: str) -> bool:
        try:
            return self.http.get(path).status_code == 200
        except httpx.TransportError:
            return False

    def wait_until_ready(self, timeout_s: float = 30.0) -> None:
        wait_for(lambda: self.answers("/readyz"), timeout_s)

    def wait_for_reason(self, words: str) -> None:
        wait_for(lambda: words in self.http.get("/readyz").json().get("detail", ""))

    def wait_for_log(self, **fields: str) -> list[dict]:
        def matching() -> list[dict]:
            return [line for line in self.log if fields.items() <= line.items()]

        wait_for(matching)
        return matching()


@contextmanager
def tracking_restored() -> Iterator[None]:
    """Leaves MLflow's global state for the other tests as it was."""
    before = mlflow.get_tracking_uri() if mlflow.tracking.is_tracking_uri_set() else None
    try:
        yield
    finally:
        mlflow.set_tracking_uri(before)


def workers_of(process: psutil.Process) -> list[psutil.Process]:
    """The processes that read documents or lines for a service; the last argument is the task."""
    found = process.children(recursive=True)
    alive = [each for each in found if each.status() != psutil.STATUS_ZOMBIE]
    return [each for each in alive if "bukva.serving.reader_worker" in each.cmdline()]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(condition: Callable[[], object], timeout_s: float = 30.0) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, "it did not happen in time"
        time.sleep(0.02)


@contextmanager
def run_process(**environment: str) -> Iterator[Server]:
    """`python -m bukva.serving` as an operator starts it; it may not answer yet."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "bukva.serving"],
        env={**os.environ, "BUKVA_PORT": str(port), **environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    base_url = f"http://127.0.0.1:{port}"
    with httpx.Client(base_url=base_url, timeout=30) as http:
        server = Server(base_url, http, process)
        reader = threading.Thread(
            target=lambda: server.log.extend(map(json.loads, process.stdout)), daemon=True
        )
        reader.start()
        try:
            yield server
        finally:
            process.terminate()
            process.wait(timeout=15)
            reader.join(timeout=5)
            process.stdout.close()


@contextmanager
def run_thread(**settings: object) -> Iterator[Server]:
    """The same application behind uvicorn in a thread; a failed load is tried again at once.

    The model has longer to answer than in production: it shares a busy machine with the tests.
    """
    port = free_port()
    given = Settings(port=port, **{"load_retry_s": 0.1, "deadline_s": 20.0} | settings)
    runner = HttpServer(create_app(given), given)
    thread = threading.Thread(target=runner.run, daemon=True)
    thread.start()
    base_url = f"http://127.0.0.1:{port}"
    with tracking_restored(), httpx.Client(base_url=base_url, timeout=30) as http:
        try:
            server = Server(base_url, http)
            wait_for(lambda: server.answers("/livez"))
            yield server
        finally:
            runner.should_exit = True
            thread.join(timeout=15)
