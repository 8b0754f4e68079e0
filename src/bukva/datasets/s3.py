"""S3 as it is used here: in bounded time, and with errors that say what to do.

Address and keys come from where all AWS tools take them: `AWS_...` variables, or `~/.aws`.
"""

import logging
import socket
from contextlib import suppress
from typing import Any, Final

from botocore.exceptions import (
    ConnectionError as NoConnectionError,
)
from botocore.exceptions import (
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
)
from s3fs import S3FileSystem
from s3fs.core import S3_RETRYABLE_ERRORS

from bukva.errors import (
    BucketMissingError,
    StorageError,
    StorageRefusedError,
    StorageUnreachableError,
)

PART_BYTES: Final = 16 * 2**20
"""What is longer than two of them is sent in parts, each tried again by itself."""
CONNECT_TIMEOUT_S: Final = 5.0
ANSWER_TIMEOUT_S: Final = 10.0
"""So long the store may be silent: before it answers, within an answer, and while it is sent to."""
ATTEMPTS: Final = 3
"""Of a request, and again of what came of it: a store that says nothing is given up in 90 s."""

_NO_KEYS: Final = (
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
)
_NO_ANSWER: Final = (*S3_RETRYABLE_ERRORS, NoConnectionError, ConnectionError)
# Callers make something of these: there is no such object, there is one, it has changed.
_FOR_CALLERS: Final = frozenset({404, 409, 412, 416})
_LOG = logging.getLogger(__name__)


def open_s3(**options: Any) -> S3FileSystem:
    """Return s3fs's file system with our patience; the same one for the same options."""
    config = {
        "connect_timeout": CONNECT_TIMEOUT_S,
        "read_timeout": ANSWER_TIMEOUT_S,
        "retries": {"mode": "standard", "total_max_attempts": ATTEMPTS},
        "connector_args": {"socket_factory": _open_socket},
    }
    files = S3FileSystem(
        config_kwargs=config | options.pop("config_kwargs", {}),
        use_listings_cache=False,  # another process may have written since: the store is asked
        max_concurrency=1,  # of several streams, one that breaks off would not be tried again
        **options,
    )
    files.retries = ATTEMPTS
    return files


def check_bucket(address: str) -> None:
    """Return if the bucket of an address is there, and these keys may look at it.

    Raises:
        StorageError: If not, or if nobody answers within 10 s.
    """
    hurry = {"connect_timeout": 3, "read_timeout": 3, "retries": {"total_max_attempts": 1}}
    files = open_s3(config_kwargs=hurry)
    bucket = files.split_path(address)[0]
    try:
        files.call_s3("head_bucket", Bucket=bucket)
    except Exception as error:
        raise explain(error, files, f"s3://{bucket}") from None


def explain(error: Exception, files: S3FileSystem, address: str) -> Exception:
    """Return the error of ours that says what an error means; one that callers expect as it is.

    Args:
        error: What s3fs raised.
        files: The file system.
        address: Of the bucket or object.
    """
    answer = error.__cause__
    asked = f"{getattr(answer, 'operation_name', 'a request')} of {address} at {_endpoint(files)}"
    if isinstance(error, _NO_KEYS):
        explained: Exception = StorageRefusedError(
            f"Expected keys for {asked}, got none: {error} Set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or AWS_PROFILE."
        )
    elif response := getattr(answer, "response", None):
        explained = _explain_answer(error, response, asked, address)
    # s3fs looks at the number of an error that has none.
    elif isinstance(error, (*_NO_ANSWER, IndexError)):
        explained = _unreachable(asked, f"none ({type(error).__name__}: {error})")
    else:
        return error
    if explained is not error:
        _LOG.debug("%s failed", asked, exc_info=error)
    return explained


def _explain_answer(
    error: Exception, response: dict[str, Any], asked: str, address: str
) -> Exception:
    code = str(response.get("Error", {}).get("Code"))
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    bucket, _, key = address.removeprefix("s3://").partition("/")
    if code == "NoSuchBucket" or (status == 404 and not key):
        return BucketMissingError(
            f"Expected the bucket {bucket} for {asked}, found none. Make it, or name another: "
            "BUKVA_STORAGE, or storage.root in conf/<env>/globals.yml."
        )
    got = f"{status} {code}: {error}"
    if status in (401, 403):
        return StorageRefusedError(
            f"Expected leave for {asked}, got {got}. Look at AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY (or AWS_PROFILE), and at what this key may do."
        )
    if status == 429 or status >= 500:
        return _unreachable(asked, got)
    return error if status in _FOR_CALLERS else StorageError(f"Expected {asked}, got {got}.")


def _unreachable(asked: str, got: str) -> StorageUnreachableError:
    return StorageUnreachableError(
        f"Expected an answer to {asked}, got {got}. Nothing half was stored. Look whether the "
        "store is up and AWS_ENDPOINT_URL is its address, then run again."
    )


def _endpoint(files: S3FileSystem) -> str:
    with suppress(Exception):  # without a profile there is no client to ask
        return str(files.s3.meta.endpoint_url)
    return "the store"


def _open_socket(address: tuple[Any, ...]) -> socket.socket:
    """Return a socket that gives up a peer who takes nothing: aiohttp waits while it sends."""
    opened = socket.socket(*address[:3])
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        timeout_ms = int(1000 * ANSWER_TIMEOUT_S)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, timeout_ms)
    return opened
