"""A made-up corpus, and real servers on 127.0.0.1 to fetch it from: HTTP with ranges, and S3."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mirror_server import BIG_BYTES, MirrorServer, serve, toy_entry

from bukva.data.manifest import CorpusEntry


@pytest.fixture(scope="session")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mirror folder with the two files of a corpus named toy."""
    folder = tmp_path_factory.mktemp("mirror")
    (folder / "toy").mkdir()
    content = np.random.default_rng(0).integers(0, 256, BIG_BYTES, dtype=np.uint8).tobytes()
    (folder / "toy" / "big.bin").write_bytes(content)
    (folder / "toy" / "small.bin").write_bytes(b"a few bytes")
    return folder


@pytest.fixture
def toy(mirror: Path) -> CorpusEntry:
    """The manifest entry of the toy corpus; its files have no official address."""
    return toy_entry(mirror)


@pytest.fixture
def http_mirror(mirror: Path) -> Iterator[MirrorServer]:
    """The mirror over HTTP with ranges."""
    yield from serve(MirrorServer(mirror))


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A real S3 server with the bucket `bukva`; gives the environment that leads to it."""
    folder = tmp_path_factory.mktemp("s3")
    (folder / "bukva").mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    rclone = Path(sys.executable).with_name("rclone")
    command = [rclone, "serve", "s3", folder, f"--addr=127.0.0.1:{port}", "--auth-key=key,secret"]
    with subprocess.Popen([*command, "--config="], stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for_port(port)
            yield {
                "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
                "AWS_ACCESS_KEY_ID": "key",
                "AWS_SECRET_ACCESS_KEY": "secret",
                "AWS_DEFAULT_REGION": "us-east-1",
                "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
                "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
            }
        finally:
            process.terminate()


@pytest.fixture
def s3(s3_server: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """The S3 server's file system, also the one that `s3://` leads to in this test."""
    import s3fs

    for name, value in s3_server.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    yield s3fs.S3FileSystem()
    s3fs.S3FileSystem.clear_instance_cache()


def _wait_for_port(port: int, timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"Nothing listens on 127.0.0.1:{port} after {timeout_s} s.")
