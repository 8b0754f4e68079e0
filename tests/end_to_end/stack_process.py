"""The stack as a person starts it, and what can be asked of it."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
from serving_servers import wait_for

from bukva.stack.layout import SERVERS, Layout, open_layout
from bukva.stack.probes import call_mlflow, open_s3, probes
from kedro_project import PROJECT

_PORTS = 6
# Little data, and just enough training to give different letters different answers.
LITTLE_TRAINING = (
    "embedded.samples_per_symbol=8,data_processing.nonsymbols_per_kind=3,"
    "finetuning.steps_per_epoch=20,finetuning.learning_rate=0.03,finetuning.ema_decay=0.8,"
    "evaluation.resamples=20,evaluation.robustness.samples=5"
)


@dataclass
class Stack:
    """A stack in a folder; `lines` is what its command has printed since it was started."""

    folder: Path
    port: int
    process: subprocess.Popen | None = None
    lines: list[str] = field(default_factory=list)

    @property
    def layout(self) -> Layout:
        return open_layout(self.folder)

    @property
    def front(self) -> str:
        """The address that people are told."""
        told = [line for line in self.lines if line.startswith("page and API")]
        return told[-1].split()[3]

    def start(self, *options: str) -> None:
        """Start it, and return when all of it answers."""
        self.lines.clear()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bukva", "stack", "up", f"--folder={self.folder}",
             f"--port={self.port}", *options],
            cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        reader = threading.Thread(
            target=lambda: self.lines.extend(map(str.rstrip, self.process.stdout)), daemon=True
        )
        reader.start()
        wait_for(lambda: self._has_begun() or self.process.poll() is not None, timeout_s=300)
        assert self._has_begun(), "\n".join(self.lines)

    def interrupt(self) -> list[psutil.Process]:
        """End it with Ctrl+C; return those of its processes that are left, which should be none."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        assert len(children) >= len(SERVERS)
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(timeout=120) == 0
        return [child for child in children if child.is_running() and child.status() != "zombie"]

    def run(self, *command: str, **variables: str) -> subprocess.CompletedProcess:
        """Run `python -m ...` as the person does who has read what the stack printed."""
        environment = os.environ | self.layout.training() | variables
        return subprocess.run(
            [sys.executable, "-m", *command],
            cwd=PROJECT, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def ask(self, *command: str) -> subprocess.CompletedProcess:
        """Run `python -m bukva stack ...` on this stack."""
        return self.run("bukva", "stack", *command, f"--folder={self.folder}")

    def post(self, path: str, **request: Any) -> httpx.Response:
        return httpx.post(f"{self.front}{path}", timeout=30, **request)

    def answers(self, path: str) -> bool:
        try:
            return httpx.get(f"{self.front}{path}", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def wait_until_all_answer(self) -> None:
        for probe in probes(self.layout).values():
            wait_for(probe, timeout_s=120)

    def kill(self, *names: str) -> None:
        """Kill the processes of servers as the kernel does when memory is short."""
        for name in names:
            state = self.states()[name]
            os.kill(int(state.split()[2].rstrip(",")), signal.SIGKILL)

    def states(self) -> dict[str, str]:
        from bukva.stack.supervisor import Supervisor

        return Supervisor(self.layout).states()

    def objects(self) -> dict[str, tuple[int, str]]:
        """Size and checksum of each object in the bucket."""
        client = open_s3(self.layout.keys_of("owner"))
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=self.layout.bucket)
        listed = [item for page in pages for item in page.get("Contents", [])]
        return {item["Key"]: (item["Size"], item["ETag"]) for item in listed}

    def registry(self) -> dict[str, Any]:
        """Runs and versions, and what is in production."""
        login = self.layout.login_of("admin")
        experiments = call_mlflow(login, "POST", "experiments/search", {"max_results": 10})
        ids = [item["experiment_id"] for item in experiments["experiments"]]
        found = call_mlflow(
            login, "POST", "runs/search", {"experiment_ids": ids, "max_results": 100}
        )
        model = call_mlflow(login, "GET", "registered-models/get?name=bukva-glyph", {})
        return {
            "runs": {run["info"]["run_id"]: _by_key(run["data"]) for run in found.get("runs", [])},
            "aliases": model["registered_model"]["aliases"],
            "versions": model["registered_model"]["latest_versions"],
        }

    def _has_begun(self) -> bool:
        return any("kedro run --env=prod" in line for line in self.lines)


def _by_key(data: dict[str, list[dict[str, Any]]]) -> dict[str, dict[str, dict[str, Any]]]:
    """Metrics, parameters and tags of a run; MLflow lists them in no order."""
    return {kind: {item["key"]: item for item in items} for kind, items in data.items()}


@contextmanager
def make_stack(folder: Path) -> Iterator[Stack]:
    """A stack that is not started; whatever of it runs at the end is ended."""
    stack = Stack(folder, free_ports())
    try:
        yield stack
    finally:
        if stack.process is not None and stack.process.poll() is None:
            stack.process.terminate()
            stack.process.wait(timeout=120)


def free_ports() -> int:
    """The first of six ports in a row that nobody listens on."""
    for first in range(21000 + os.getpid() % 5000, 32000, _PORTS):
        if all(map(is_free, range(first, first + _PORTS))):
            return first
    raise AssertionError("no six free ports in a row")


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
