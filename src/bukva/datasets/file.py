"""What our datasets of one file have in common."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from tempfile import NamedTemporaryFile
from typing import Any, TypeVar

import fsspec
from kedro.io import AbstractDataset
from kedro.io.core import get_filepath_str, get_protocol_and_path

from bukva.data.scratch import needing_room

T = TypeVar("T")


@contextmanager
def local_file(fs: Any, protocol: str, path: str) -> Iterator[str]:
    """Give the path of a file to be mapped: its own, or that of a copy of what is on S3.

    The copy loses its name at the end of the block, and is gone when nobody maps it any more.

    Raises:
        StorageError: If there is no room for the copy.
    """
    if protocol == "file":
        yield path
        return
    with NamedTemporaryFile() as copy, needing_room():
        fs.get_file(path, copy.name)
        yield copy.name


class FileDataset(AbstractDataset[T, T]):
    """A dataset that is one file, read and written whole, on local disk or S3."""

    def __init__(
        self,
        *,
        filepath: str,
        credentials: dict[str, Any] | None = None,
        fs_args: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._protocol, path = get_protocol_and_path(filepath)
        # kedro-mlflow and kedro-viz look for the path under this name.
        self._filepath = PurePosixPath(path)
        self._fs = fsspec.filesystem(self._protocol, **(credentials or {}), **(fs_args or {}))
        self.metadata = metadata

    def read_bytes(self, suffix: str = "") -> bytes:
        """Return the content of the file, or of the one beside it with another suffix."""
        with self._fs.open(self._path(suffix), "rb") as file:
            return bytes(file.read())

    def write_bytes(self, content: bytes, suffix: str = "") -> None:
        """Write the file, or the one beside it with another suffix."""
        with self.open_to_write(suffix) as file:
            file.write(content)

    def open_to_write(self, suffix: str = "") -> Any:
        """Open the file, or the one beside it, to be written whole when its `with` block ends."""
        path = self._path(suffix)
        self._fs.makedirs(str(PurePosixPath(path).parent), exist_ok=True)
        return self._fs.open(path, "wb")

    def delete(self) -> None:
        """Remove the file if it is there."""
        if self._exists():
            self._fs.rm_file(self._path())

    def _path(self, suffix: str = "") -> str:
        path = self._filepath.with_suffix(suffix) if suffix else self._filepath
        return str(get_filepath_str(path, self._protocol))

    def _exists(self) -> bool:
        self._fs.invalidate_cache()
        return bool(self._fs.exists(self._path()))

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath, "protocol": self._protocol}
