"""A made-up corpus, and real servers on 127.0.0.1 to fetch it from: HTTP with ranges, and S3."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pytest
from mirror_server import BIG_BYTES, MirrorServer, serve, toy_entry
from object_store import plain_s3, run_store, s3_is
from serving_servers import tracking_restored

from bukva.core.corpora.manifest import CorpusEntry


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
    with run_store(tmp_path_factory.mktemp("s3")) as environment:
        yield environment


@pytest.fixture
def s3(s3_server: dict[str, str]) -> Iterator[Any]:
    """s3fs's own file system, to look; `s3://` leads to the server in this test."""
    with s3_is(s3_server):
        yield plain_s3(s3_server)


@pytest.fixture
def experiment(tmp_path: Path) -> Iterator[str]:
    """The id of an experiment in a tracker of the test's own, to which MLflow listens."""
    with tracking_restored():
        mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
        yield mlflow.create_experiment("datasets", (tmp_path / "artifacts").as_uri())
