"""A real S3 server that keeps to If-None-Match: moto's, as a process that can be held up."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from serving_servers import free_port, wait_for

BUCKET = "bukva"


class BucketServer:
    """The server, and what leads to its bucket."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.environment = {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        self._process: subprocess.Popen | None = None

    def start(self, **environment: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", f"--port={self.port}"],
            env=os.environ | environment,
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        wait_for(self._has_bucket)

    def hold_up(self) -> None:
        """It takes connections from now on, and answers nothing."""
        self._process.send_signal(signal.SIGSTOP)

    def let_go(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait(timeout=15)

    def objects(self, prefix: str = "") -> list[dict]:
        """All objects below a prefix, in the order of their keys; each must be whole JSON."""
        return [json.loads(content) for content in self.contents(prefix)]

    def contents(self, prefix: str = "") -> list[bytes]:
        files = self._files()
        return [files.cat_file(path) for path in files.find(f"{BUCKET}/{prefix}")]

    def put(self, path: str, content: dict) -> None:
        self.put_bytes(path, json.dumps(content).encode())

    def put_bytes(self, path: str, content: bytes) -> None:
        self._files().pipe_file(f"{BUCKET}/{path}", content)

    def _has_bucket(self) -> bool:
        try:
            return httpx.put(f"{self.url}/{BUCKET}").status_code == 200
        except httpx.TransportError:
            return False

    def _files(self):
        from s3fs import S3FileSystem

        return S3FileSystem(
            key="key", secret="secret", endpoint_url=self.url, skip_instance_cache=True
        )


@contextmanager
def run_bucket(*, is_up: bool = True, **environment: str) -> Iterator[BucketServer]:
    """The server, started at once or when the test does it; what it holds goes with it."""
    server = BucketServer(free_port())
    try:
        if is_up:
            server.start(**environment)
        yield server
    finally:
        server.stop()
