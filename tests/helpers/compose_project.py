"""The containers of compose.yaml as an operator starts them, apart from others on this machine."""

import json
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from kedro_project import PROJECT
from serving_servers import free_port

from bukva.cli.stack_processes.processes import write_variables


@dataclass
class ComposeProject:
    """A project of compose; `environment` names it, its variables and its port."""

    environment: dict[str, str]

    @property
    def front(self) -> str:
        return f"http://localhost:{self.environment['STACK_PORT']}"

    def run(self, *command: str, may_fail: bool = False) -> str:
        """Run a command on the project; return what it prints."""
        done = subprocess.run(
            command, cwd=PROJECT, env=self.environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        assert may_fail or done.returncode == 0, done.stdout[-6000:]
        return done.stdout

    def compose(self, *words: str, may_fail: bool = False) -> str:
        return self.run("docker", "compose", *words, may_fail=may_fail)

    def start(self, *words: str) -> None:
        """Start it, or what of it is named, and return when all of it is healthy."""
        self.compose("up", "--no-build", "--detach", "--wait", *words)

    def lose(self) -> None:
        """End it, and lose all that it kept."""
        self.compose("--profile=training", "--profile=monitoring", "down", "--volumes")

    def inspect(self, service: str) -> dict[str, Any]:
        """What Docker knows of the first container of a service."""
        name = self.compose("ps", "--all", "--quiet", service).split()[0]
        found: dict[str, Any] = json.loads(self.run("docker", "inspect", name))[0]
        return found

    def kill(self, service: str) -> None:
        """Kill the first process of a service, as a lack of memory does."""
        process = str(self.inspect(service)["State"]["Pid"])
        shell = ("--entrypoint", "sh", "bukva-operations", "-c", f"kill -9 {process}")
        self.run("docker", "run", "--rm", "--pid=host", "--user=root", *shell)

    def predict(self, image: bytes) -> httpx.Response:
        headers = {"Content-Type": "image/png"}
        return httpx.post(f"{self.front}/v1/predict", content=image, headers=headers, timeout=15)

    def answers(self, path: str) -> bool:
        try:
            return httpx.get(f"{self.front}{path}", timeout=5).status_code == 200
        except httpx.TransportError:
            return False


@contextmanager
def make_compose_project(folder: Path, given: dict[str, str]) -> Iterator[ComposeProject]:
    """Start all servers; lose them in the end. `given` is the environment of the caller."""
    write_variables(folder / ".env")
    project = ComposeProject(
        given
        | {
            "COMPOSE_PROJECT_NAME": f"bukva-test-{uuid.uuid4().hex[:8]}",
            "COMPOSE_ENV_FILES": str(folder / ".env"),
            "STACK_PORT": str(free_port()),
            "STACK_APP_SUBNET": "10.83.77.0/24",
            "STACK_NGINX_IP": "10.83.77.10",
            "STACK": "compose",
        }
    )
    try:
        project.start()
        yield project
    finally:
        project.lose()
