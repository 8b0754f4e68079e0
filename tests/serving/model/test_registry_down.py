"""The registry goes away and comes back; recognition does not notice."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from serving_requests import draw, encode
from serving_servers import Server, free_port, run_process, wait_for

pytestmark = pytest.mark.timeout(300)


@contextmanager
def run_mlflow(registry_uri: str, port: int) -> Iterator[None]:
    """MLflow's own server, in front of the registry of the tests."""
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", registry_uri]
    process = subprocess.Popen(
        [*command, "--port", str(port), "--workers", "1"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        wait_for(lambda: answers(f"http://127.0.0.1:{port}/health"), timeout_s=90)
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # its workers are processes of their own
        process.wait(timeout=20)


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).status_code == 200
    except httpx.TransportError:
        return False


def predicted_by(server: Server) -> str:
    answer = server.http.post("/v1/predict", files={"file": ("a.png", encode(draw()))})
    version: str = answer.raise_for_status().json()["model"]["version"]
    return version


def warning_of(server: Server) -> str | None:
    found: str | None = server.http.get("/readyz").raise_for_status().json()["warning"]
    return found


def test_recognition_goes_on_and_starts_without_the_registry(registry, tmp_path):
    port = free_port()
    common = {
        "BUKVA_TRACKING_URI": f"http://127.0.0.1:{port}",
        "BUKVA_MODEL_NAME": "bukva-ink",
        "BUKVA_ALIAS_POLL_S": "0.2",
        "BUKVA_LOAD_RETRY_S": "0.2",
    }
    with run_process(**common, BUKVA_MODEL_CACHE=str(tmp_path / "cache")) as server:
        with run_mlflow(registry, port):
            server.wait_until_ready(timeout_s=60)
            assert warning_of(server) is None
        wait_for(lambda: warning_of(server))
        assert "does not answer" in warning_of(server)
        assert predicted_by(server) == "1"
        with (
            run_process(**common, BUKVA_MODEL_CACHE=str(tmp_path / "cache")) as second,
            run_process(**common, BUKVA_MODEL_CACHE=str(tmp_path / "empty")) as third,
        ):
            second.wait_until_ready(timeout_s=60)
            assert "does not answer" in warning_of(second)
            assert predicted_by(second) == "1"
            third.wait_for_reason("does not answer")
            with run_mlflow(registry, port):
                third.wait_until_ready(timeout_s=60)
                wait_for(lambda: warning_of(second) is None)
                assert predicted_by(second) == predicted_by(third) == "1"
