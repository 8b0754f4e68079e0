"""What goes wrong with S3, said in our words instead of a hundred lines of botocore's."""

from typing import Any, Final

from botocore.exceptions import ConnectionError as NoConnectionError
from botocore.exceptions import (
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
)
from s3fs.core import S3_RETRYABLE_ERRORS

from bukva.errors import (
    BucketMissingError,
    StorageError,
    StorageRefusedError,
    StorageUnreachableError,
)

_NO_KEYS: Final = (
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
)
_NO_ANSWER: Final = (*S3_RETRYABLE_ERRORS, NoConnectionError, ConnectionError)
# Callers make something of these: there is no such object, there is one, it has changed.
_FOR_CALLERS: Final = frozenset({404, 409, 412, 416})


def explain(error: Exception, request: str, place: str, endpoint: str) -> Exception:
    """Return the error of ours that says what an error means; one that callers expect as it is.

    Args:
        error: What s3fs raised.
        request: The operation, in the words of S3's API, such as `put_object`.
        place: Bucket, or bucket and key.
        endpoint: Address of the store.
    """
    asked = f"{request} of s3://{place} at {endpoint}"
    if isinstance(error, _NO_KEYS):
        return StorageRefusedError(
            f"Expected keys for {asked}, got none: {error} Set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or AWS_PROFILE."
        )
    response = getattr(error.__cause__, "response", None)
    if response is not None:
        return _explain_answer(error, response, asked, place)
    if isinstance(error, _NO_ANSWER):
        return _unreachable(asked, f"none: {_name(error)}")
    return error


def _explain_answer(
    error: Exception, response: dict[str, Any], asked: str, place: str
) -> Exception:
    code = str(response.get("Error", {}).get("Code"))
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    is_bucket = "/" not in place
    if code == "NoSuchBucket" or (status == 404 and is_bucket):
        return BucketMissingError(
            f"Expected the bucket {place.partition('/')[0]} for {asked}, found none. Make it, or "
            "name another: BUKVA_STORAGE, or storage.root in conf/<env>/globals.yml."
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


def _name(error: Exception) -> str:
    if str(error):
        return f"{type(error).__name__}: {error}"
    return "it was silent, or said 503 SlowDown again and again"
