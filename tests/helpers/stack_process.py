"""The stack as a person starts it, and what can be asked of it."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
from kedro_project import PROJECT
from serving_servers import wait_for

from bukva.cli.stack_processes import processes
from bukva.cli.stack_processes.processes import SERVERS, ask_mlflow, open_stack
from bukva.cli.stack_processes.tools import run_tool

_PORTS = 6
# Little data, and just enough training to give different letters different answers.
LITTLE_TRAINING = (
    "embedded.samples_per_symbol=8,data_processing.nonsymbols_per_kind=3,"
    "finetuning.steps_per_epoch=20,finetuning.learning_rate=0.03,finetuning.ema_decay=0.8,"
    "evaluation.resamples=20,evaluation.robustness.samples=5,"
    "evaluation.conditions.samples=5"
)


@dataclass
class Stack:
    """A stack in a folder; `lines` is what its command has printed since it was started."""

    folder: Path
    port: int
    process: subprocess.Popen | None = None
    lines: list[str] = field(default_factory=list)

    @property
    def opened(self) -> processes.Stack:
        return open_stack(self.folder)

    @property
    def operations(self) -> dict[str, str]:
        """The environment of those who back up and make accounts."""
        return self.opened.environment("operations")

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
        wait_for(lambda: self._has_begun() or self.process.poll() is not None, timeout_s=600)
        assert self._has_begun(), "\n".join(self.lines)

    def processes(self) -> list[psutil.Process]:
        """All processes that live, of the servers and of what looks after them."""
        found = []
        if self.process.poll() is None:
            ours = psutil.Process(self.process.pid)
            found += [ours, *ours.children(recursive=True)]
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get("BUKVA_STACK") == str(self.folder):
                    found += [process, *process.children(recursive=True)]
        return alive(found)

    def interrupt(self) -> list[psutil.Process]:
        """End it with Ctrl+C; return those of its processes that are left, which should be none."""
        before = self.processes()
        assert len(before) > len(SERVERS)
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(timeout=120) == 0
        return alive(before)

    def run(self, *command: str, **variables: str) -> subprocess.CompletedProcess:
        """Run `python -m ...` as the person does who has read what the stack printed."""
        environment = os.environ | self.opened.environment("training") | variables
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
        wait_for(lambda: self.ask("status").returncode == 0, timeout_s=120)

    def kill(self, *names: str) -> None:
        """Kill the processes of servers as the kernel does when memory is short."""
        for name in names:
            os.kill(int(self.opened.supervise("pid", name)), signal.SIGKILL)

    def objects(self) -> dict[str, tuple[int, str]]:
        """Size and checksum of each object in the bucket."""
        listing = ["rclone", "lsjson", "-R", "--files-only", "--hash", "s3:bukva"]
        listed = json.loads(run_tool(listing, self.operations))
        return {item["Path"]: (item["Size"], item["Hashes"]["md5"]) for item in listed}

    def registry(self) -> dict[str, Any]:
        """Runs and versions, and what is in production."""

        def ask(*request: Any) -> dict[str, Any]:
            return ask_mlflow(self.operations, *request).json()

        experiments = ask("POST", "experiments/search", {"max_results": 10})
        ids = [item["experiment_id"] for item in experiments["experiments"]]
        found = ask("POST", "runs/search", {"experiment_ids": ids, "max_results": 100})
        model = ask("GET", "registered-models/get?name=bukva-glyph")
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
        if stack.process is not None:
            stack.process.terminate()
            stack.process.wait(timeout=120)
            stack.ask("down")


def alive(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Those that run; where nobody fetches the end of orphans, they stay as zombies."""
    return [one for one in processes if one.is_running() and one.status() != "zombie"]


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
