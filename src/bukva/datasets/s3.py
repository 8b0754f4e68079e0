"""S3 as our datasets use it: atomic, in bounded time, and with errors that say what to do.

`install_atomic_saves` puts this file system in the place of s3fs's own, so that every Kedro dataset
on `s3://` uses it. An object is the former one or the new one:

* small ones are sent in one request, large ones in parts that are put together at the end;
* what a `with` block that ends by an exception has written is thrown away. fsspec would publish it;
* the parts that a killed process leaves are no object: the bucket's lifecycle rule removes them.

Address and keys come from where all AWS tools take them: `AWS_...` variables, or `~/.aws`.
"""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from fsspec.asyn import sync_wrapper
from s3fs import S3FileSystem
from s3fs.core import S3File

from bukva.datasets.atomic import AtomicTextWriter, DiscardedByErrors
from bukva.datasets.s3_errors import explain
from bukva.errors import StorageUnreachableError

PART_BYTES: Final = 16 * 2**20
"""What is longer is sent in parts, each tried again by itself."""
CALL_TIMEOUT_S: Final = 60.0
"""A request and its repetitions take no longer, but for the time that what it sends may take."""
MIN_BYTES_PER_S: Final = 250_000
"""A line that is slower than this is taken for a broken one."""

# aiohttp counts no time while it sends: but for CALL_TIMEOUT_S, a store that stops listening in
# mid-upload would be waited for without end.
_CLIENT_CONFIG: Final = {
    "connect_timeout": 5,
    "read_timeout": 15,
    "retries": {"mode": "standard", "total_max_attempts": 6},
}
_WRITE_TEXT: Final = frozenset({"w", "wt", "tw"})
_LOG = logging.getLogger(__name__)


class AtomicS3File(DiscardedByErrors, S3File):  # type: ignore[misc]  # s3fs has no types
    """An object that is written appears when its `with` block ended without an exception."""

    def write(self, data: Any) -> int:
        """Write bytes; an error discards the object, so that nobody can save the rest of it."""
        with self._discarded_on_error():
            return int(super().write(data))

    def close(self) -> None:
        """Publish the object, as the last step; closing twice is legal."""
        with self._discarded_on_error():
            super().close()

    def discard(self) -> None:
        """Close without a trace: the parts that were sent are given up, the object stays."""
        self.closed = True
        # A runtime error where this is the end of the process, or the collection of garbage.
        with suppress(OSError, RuntimeError):
            super().discard()

    @contextmanager
    def _discarded_on_error(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            if isinstance(error, StorageUnreachableError):
                self.mpu = None  # nobody is there to be told
            self.discard()
            raise

    def _fetch_range(self, start: int, end: int) -> bytes:
        with self.fs.explained("get_object", self.path):
            try:
                return bytes(super()._fetch_range(start, end))
            except IndexError:
                # s3fs looks at the number of an error that has none.
                raise TimeoutError from None

    def __del__(self) -> None:
        # Dropped unclosed: fsspec would publish it.
        self.closed = True


class AtomicS3FileSystem(S3FileSystem):  # type: ignore[misc]  # s3fs has no types
    """s3fs's file system with atomic writes, bounded waiting and our errors.

    Args:
        call_timeout_s: How long one request may take, its repetitions included; CALL_TIMEOUT_S.
        options: As of s3fs.
    """

    def __init__(self, *, call_timeout_s: float | None = None, **options: Any) -> None:
        config = _CLIENT_CONFIG | (options.pop("config_kwargs", None) or {})
        defaults = {
            # Another process may have written since: the store is asked.
            "use_listings_cache": False,
            "default_block_size": PART_BYTES,
            "fixed_upload_size": True,
        }
        super().__init__(config_kwargs=config, **(defaults | options))
        self._call_timeout_s = call_timeout_s

    def open(self, path: Any, mode: str = "rb", **kwargs: Any) -> Any:
        """Open an object; in the modes `w` and `wb` it is written atomically."""
        if mode not in _WRITE_TEXT or kwargs.get("compression"):
            return super().open(path, mode, **kwargs)
        text_args = {key: kwargs.pop(key, None) for key in ("encoding", "errors", "newline")}
        return AtomicTextWriter(super().open(path, "wb", **kwargs), **text_args)

    def check_bucket(self, path: str) -> None:
        """Return if the bucket of a path is there, and these keys may look at it.

        Raises:
            StorageError: If not; says what to do.
        """
        self.call_s3("head_bucket", Bucket=self.split_path(path)[0])

    @contextmanager
    def explained(self, request: str, place: str) -> Iterator[None]:
        """What goes wrong in the block is raised as the error of ours that says what it means."""
        try:
            yield
        except Exception as error:
            explained = explain(error, request, place, self._endpoint())
            if explained is error:
                raise
            _LOG.debug("%s of %s failed", request, place, exc_info=True)
            raise explained from None

    def _open(
        self,
        path: str,
        mode: str = "rb",
        block_size: int | None = None,
        cache_type: str | None = None,
        **kwargs: Any,
    ) -> AtomicS3File:
        return AtomicS3File(
            self,
            path,
            mode,
            block_size=block_size or self.default_block_size,
            cache_type=cache_type or self.default_cache_type,
            s3_additional_kwargs=dict(self.s3_additional_kwargs),
            **kwargs,
        )

    async def _call_s3(self, method: str, *akwarglist: Any, **kwargs: Any) -> Any:
        place = "/".join(filter(None, [kwargs.get("Bucket"), kwargs.get("Key")]))
        timeout_s = self._allowed_s(kwargs.get("Body"))
        with self.explained(method, place):
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    return await super()._call_s3(method, *akwarglist, **kwargs)
            async with asyncio.timeout(timeout_s):
                return await super()._call_s3(method, *akwarglist, **kwargs)

    # s3fs made its own of its own method.
    call_s3 = sync_wrapper(_call_s3)

    async def _cat_file(self, path: str, *args: Any, **kwargs: Any) -> bytes:
        with self.explained("get_object", path):
            return bytes(await super()._cat_file(path, *args, **kwargs))

    async def _get_file(self, rpath: str, lpath: str, *args: Any, **kwargs: Any) -> None:
        with self.explained("get_object", rpath):
            await super()._get_file(rpath, lpath, *args, **kwargs)

    async def _makedirs(self, path: str, exist_ok: bool = False) -> None:
        # There are no folders to make; s3fs would make the bucket, with a typing error in its name.
        pass

    makedirs = sync_wrapper(_makedirs)

    def _allowed_s(self, body: Any) -> float:
        """How long a request is waited for before it is made anew, once."""
        return (self._call_timeout_s or CALL_TIMEOUT_S) / 2 + len(body or b"") / MIN_BYTES_PER_S

    def _endpoint(self) -> str:
        return self._s3.meta.endpoint_url if self._s3 else "the store"
