"""Atomic saves on local disk: a file is the previous one or the new one, never half of one.

`install_atomic_saves` puts a file system in the place of fsspec's local one, so that every Kedro
dataset on local disk saves this way: into a temporary file beside the target, flushed to the disk,
and moved onto the target when the `with` block ended without an exception. On S3 the same holds by
`bukva.datasets.s3`.

Modes that change a file in place (`a`, `r+`, `w+`), compression by fsspec, fsspec's own
transactions, and targets that are no regular file (pipes, devices) work as they always do.
"""

import glob
import io
import os
import secrets
import shutil
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Protocol

import fsspec
from fsspec.implementations.local import LocalFileSystem
from fsspec.registry import registry

_ATOMIC_MODES: Final = frozenset({"w", "wt", "tw", "wb", "bw"})
_STALE_AFTER_S: Final = 3600.0
"""A temporary file not written to for so long was left by a process that was killed."""


class _Discardable(Protocol):
    def discard(self) -> None: ...

    def close(self) -> None: ...


class DiscardedByErrors:
    """A file that is discarded when its `with` block ends by an exception, and else closed."""

    def __exit__(
        self: _Discardable,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.discard()
        self.close()


class AtomicWriter(DiscardedByErrors, io.BufferedWriter):
    """A binary file that takes its name only when it was written completely.

    It is discarded when its `with` block ends by an exception, when a write or the flush to disk
    fails, and when it is dropped without having been closed.
    """

    def __init__(self, target: str) -> None:
        # Through a link, as an ordinary write goes: renaming would put a file in its place.
        self._target = Path(os.path.realpath(target))
        _remove_stale(self._target)
        name = f".{self._target.name}.{secrets.token_hex(8)}.tmp"
        self._temporary = self._target.with_name(name)
        super().__init__(io.FileIO(self._temporary, "x"))

    def write(self, data: Any, /) -> int:
        """Write bytes; an error discards the file, so that nobody can save the rest of it."""
        try:
            return super().write(data)
        except BaseException:
            self.discard()
            raise

    def close(self) -> None:
        """Put the file in the place of the target, as its last step; closing twice is legal."""
        if self.closed:
            return
        try:
            self.flush()
            _keep_mode(self._target, self._temporary)
            os.fsync(self.fileno())
            super().close()
            self._temporary.replace(self._target)
        except BaseException:
            self.discard()
            raise
        _sync_folder(self._target.parent)

    def discard(self) -> None:
        """Close without a trace: what is buffered is dropped, the target stays as it is."""
        self.raw.close()
        self._temporary.unlink(missing_ok=True)

    def __del__(self) -> None:
        # Without `raw` the file was never opened.
        if getattr(self, "raw", None) is not None and not self.closed:
            self.discard()


class AtomicTextWriter(DiscardedByErrors, io.TextIOWrapper):
    """Text for a binary file that can be discarded, which is told how its `with` block ended."""

    def __init__(self, writer: Any, **text_args: Any) -> None:
        self._writer = writer
        super().__init__(writer, **text_args)

    def discard(self) -> None:
        """Have the binary file discarded."""
        self._writer.discard()

    def __del__(self) -> None:
        if not self._writer.closed:
            self._writer.discard()


class AtomicLocalFileSystem(LocalFileSystem):  # type: ignore[misc]  # fsspec has no types
    """fsspec's local file system with atomic writes."""

    def open(self, path: Any, mode: str = "rb", **kwargs: Any) -> Any:
        """Open a file; in the modes `w` and `wb` it is written atomically."""
        target = self._strip_protocol(path)
        if not self._is_atomic(target, mode, kwargs):
            return super().open(path, mode, **kwargs)
        if self.auto_mkdir:
            self.makedirs(self._parent(target), exist_ok=True)
        writer = AtomicWriter(target)
        if "b" in mode:
            return writer
        text_args = {key: kwargs[key] for key in ("encoding", "errors", "newline") if key in kwargs}
        return AtomicTextWriter(writer, **text_args)

    def _is_atomic(self, target: str, mode: str, kwargs: dict[str, Any]) -> bool:
        is_plain = kwargs.get("compression") is None and kwargs.get("autocommit", not self._intrans)
        is_regular = Path(target).is_file() or not Path(target).exists()
        return mode in _ATOMIC_MODES and bool(is_plain) and is_regular


def install_atomic_saves() -> None:
    """Make fsspec write atomically to disk and S3, in everything that asks it for a file system.

    To be called before a dataset is made: a dataset keeps the file system that it was given.
    """
    for protocol in ("file", "local"):
        fsspec.register_implementation(protocol, AtomicLocalFileSystem, clobber=True)
    for protocol in ("s3", "s3a"):
        # By name, so that it is imported when it is needed: it takes half a second.
        fsspec.register_implementation(
            protocol, "bukva.datasets.s3.AtomicS3FileSystem", clobber=True
        )
        if protocol in registry:
            from bukva.datasets.s3 import AtomicS3FileSystem

            fsspec.register_implementation(protocol, AtomicS3FileSystem, clobber=True)


def _remove_stale(target: Path) -> None:
    for path in target.parent.glob(f".{glob.escape(target.name)}.*.tmp"):
        if time.time() - path.stat().st_mtime > _STALE_AFTER_S:
            path.unlink(missing_ok=True)


def _keep_mode(target: Path, temporary: Path) -> None:
    if target.exists():
        shutil.copymode(target, temporary)


def _sync_folder(folder: Path) -> None:
    """Make the renaming itself durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
