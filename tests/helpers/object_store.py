"""A real S3 server that the tests start, or one that they are given.

By default rclone's, which comes as a wheel. The variables BUKVA_TEST_S3_URL, BUKVA_TEST_S3_KEY and
BUKVA_TEST_S3_SECRET name another one, as `tools/radosgw.py` does; its bucket `bukva` is emptied.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from serving_servers import free_port, wait_for

BUCKET = "bukva"
GIVEN_URL = os.environ.get("BUKVA_TEST_S3_URL", "")


@contextmanager
def run_store(folder: Path) -> Iterator[dict[str, str]]:
    """A server with the bucket `bukva`; gives the environment that leads to it."""
    if GIVEN_URL:
        environment = _environment(
            GIVEN_URL, os.environ["BUKVA_TEST_S3_KEY"], os.environ["BUKVA_TEST_S3_SECRET"]
        )
        _make_empty_bucket(environment)
        yield environment
        return
    (folder / BUCKET).mkdir()
    port = free_port()
    rclone = Path(sys.executable).with_name("rclone")
    command = [rclone, "serve", "s3", folder, f"--addr=127.0.0.1:{port}", "--auth-key=key,secret"]
    with subprocess.Popen([*command, "--config="], stderr=subprocess.DEVNULL) as process:
        try:
            environment = _environment(f"http://127.0.0.1:{port}", "key", "secret")
            wait_for(lambda: _is_there(environment))
            yield environment
        finally:
            process.terminate()


@contextmanager
def s3_is(environment: dict[str, str]) -> Iterator[None]:
    """`s3://` leads to this server as long as the block lasts."""
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    _forget_connections()
    try:
        yield
    finally:
        _forget_connections()
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def plain_s3(environment: dict[str, str]) -> Any:
    """s3fs's own file system, to look at what is in a bucket."""
    from s3fs import S3FileSystem

    return S3FileSystem(
        key=environment["AWS_ACCESS_KEY_ID"],
        secret=environment["AWS_SECRET_ACCESS_KEY"],
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        use_listings_cache=False,
        skip_instance_cache=True,
    )


def _environment(url: str, key: str, secret: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
        "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
    }


def _make_empty_bucket(environment: dict[str, str]) -> None:
    files = plain_s3(environment)
    if files.exists(BUCKET):
        for path in files.find(BUCKET):
            files.rm_file(path)
    else:
        files.mkdir(BUCKET)


def _is_there(environment: dict[str, str]) -> bool:
    try:
        return bool(plain_s3(environment).ls(BUCKET, refresh=True) is not None)
    except OSError:
        return False


def _forget_connections() -> None:
    from s3fs import S3FileSystem

    S3FileSystem.clear_instance_cache()
