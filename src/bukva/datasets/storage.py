"""Files in a folder or under a prefix of a bucket: how everything here reads and saves.

A save is whole: whatever becomes of it, a file is the former one or the new one.

* On local disk it goes into a temporary file beside the target, which is flushed to the disk and
  renamed when it is complete.
* On S3 it goes into a temporary file here, which is sent when it is complete: in one request, or in
  parts that become an object when all are there. Parts that a killed process leaves are none.
"""

import glob
import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from bukva.core.scratch import needing_room

_STALE_AFTER_S: Final = 3600.0
"""A temporary file not written to for so long was left by a process that was killed."""


class Files:
    """What lies below a folder or prefix, or one file; of any address that fsspec knows.

    Attributes:
        address: Of the folder or file, as it was given, but for slashes too many.
        fs: Its file system.
        path: Where it is there.
    """

    def __init__(self, address: str, **options: Any) -> None:
        self.address = tidy(address)
        self.is_s3 = self.address.startswith(("s3://", "s3a://"))
        if self.is_s3:
            from bukva.datasets.s3 import open_s3

            self.fs, self.path = open_s3(**options), self.address.partition("://")[2]
        else:
            self.fs, self.path = url_to_fs(self.address, **options)
        self.is_local = isinstance(self.fs, LocalFileSystem)

    def locate(self, name: str = "") -> str:
        """Return the path of a file of this name; without one, of the whole."""
        return join(self.path, name) if name else self.path

    @contextmanager
    def explained(self, name: str = "") -> Iterator[None]:
        """What goes wrong with S3 in the block is raised as the error that says what it means.

        Raises:
            StorageError: If the store cannot be used.
        """
        try:
            yield
        except Exception as error:
            explained = self._explain(error, self.locate(name))
            if explained is error:
                raise
            raise explained from None

    def _explain(self, error: Exception, path: str) -> Exception:
        if not self.is_s3:
            return error
        from bukva.datasets.s3 import explain

        return explain(error, self.fs, f"s3://{path}")

    def exists(self, name: str = "") -> bool:
        """Return whether a file is there now."""
        with self.explained(name):
            return bool(self.fs.exists(self.locate(name)))

    def names(self) -> list[str]:
        """Return the names of what lies directly below, sorted."""
        try:
            with self.explained():
                paths = self.fs.ls(self.path, detail=False)
        except FileNotFoundError:
            return []
        return sorted(path.rpartition("/")[2] for path in paths)

    def read(self, name: str = "") -> bytes:
        """Return the content of a file."""
        with self.explained(name):
            return bytes(self.fs.cat_file(self.locate(name)))

    def sha256(self) -> str:
        """Return the sha256 of the file, in hexadecimal, without having all of it in memory."""
        with self.explained(), self.fs.open(self.path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def read_all(self, paths: Sequence[str]) -> dict[str, bytes | Exception]:
        """Return the contents of many files by path, or why one could not be read."""
        # Not `cat`, which would take a name with brackets for a pattern.
        contents = self.fs.cat_ranges(list(paths), None, None) if paths else []
        return {
            path: self._explain(content, path) if isinstance(content, Exception) else content
            for path, content in zip(paths, contents, strict=True)
        }

    def write(self, content: bytes, name: str = "") -> None:
        """Save a file."""
        with self.saving(name) as path:
            path.write_bytes(content)

    def remove(self, name: str = "") -> None:
        """Remove a file; that there is none is legal."""
        with suppress(FileNotFoundError), self.explained(name):
            self.fs.rm_file(self.locate(name))

    @contextmanager
    def fetched(self, name: str = "") -> Iterator[Path]:
        """Give the path of a file on local disk: its own, or that of a copy of what is on S3.

        The copy loses its name at the end of the block, and is gone when nobody maps it any more.
        """
        if self.is_local:
            yield Path(self.locate(name))
            return
        with NamedTemporaryFile() as copy:
            with needing_room(), self.explained(name):
                self.fs.get_file(self.locate(name), copy.name)
            yield Path(copy.name)

    @contextmanager
    def saving(self, name: str = "") -> Iterator[Path]:
        """Give a path to write to, which becomes the file if the block ends without an error."""
        if self.is_local:
            with _replacing(Path(self.locate(name))) as path:
                yield path
            return
        with NamedTemporaryFile() as copy:
            with needing_room():
                yield Path(copy.name)
            self.upload(Path(copy.name), name)

    def upload(self, source: Path, name: str = "") -> None:
        """Save a copy of a file, in a store that is not local disk."""
        sending: dict[str, Any] = {}
        if self.is_s3:
            from bukva.datasets.s3 import PART_BYTES

            sending = {"chunksize": PART_BYTES, "max_concurrency": 4}
        with self.explained(name):
            self.fs.put_file(str(source), self.locate(name), **sending)


def tidy(address: str) -> str:
    """Return an address as templates need it: no slash doubled, none at the end."""
    protocol, mark, path = address.rpartition("://")
    path = re.sub("/{2,}", "/", path)
    return protocol + mark + (path.rstrip("/") or path)


def join(folder: str, path: str) -> str:
    """Return the address of a file under a folder or URI."""
    return f"{folder.rstrip('/')}/{path}"


def check_storage(root: str) -> None:
    """Return if data can lie at an address: a bucket must be there, a folder need not.

    Args:
        root: `storage.root` of an environment, a path or an `s3://` address.

    Raises:
        StorageError: If the store does not answer within 10 s, refuses, or has no such bucket.
    """
    if root.startswith("s3://"):
        from bukva.datasets.s3 import check_bucket

        check_bucket(root)


def locate_storage(root: str, project: Path) -> str:
    """Return `storage.root` of an environment as an address, or as a path from the root folder."""
    return root if "://" in root else str(project / root)


@contextmanager
def _replacing(target: Path) -> Iterator[Path]:
    # Through a link, as an ordinary write goes: renaming would put a file in its place.
    target = Path(os.path.realpath(target))
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists() and not target.is_file():
        yield target  # a pipe or a device
        return
    prefix = f".{target.name}."
    for path in target.parent.glob(f"{glob.escape(prefix)}*.tmp"):
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > _STALE_AFTER_S:
                path.unlink()
    temporary = target.with_name(f"{prefix}{secrets.token_hex(8)}.tmp")
    try:
        yield temporary
        if target.exists():
            shutil.copymode(target, temporary)
        flush_to_disk(temporary)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    flush_to_disk(target.parent)  # makes the renaming itself durable


def flush_to_disk(path: Path) -> None:
    """Return when a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
