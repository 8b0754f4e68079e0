"""Images that lie in a folder, under a prefix or in files of many, read a chunk at a time.

Shapes: N images, H x W pixels.
"""

import hashlib
import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np

from bukva.core.imaging.opening import MAX_IMAGE_BYTES
from bukva.datasets.image_columns import count_rows, read_rows
from bukva.datasets.storage import Files, join
from bukva.errors import BatchError, ImageDecodeError, ImageError, ImageTooLargeError
from bukva.tasks.glyph.batch import Chunk, ImageChunk, ImageSource

_VERSION_KEYS: Final = ("ETag", "mtime", "LastModified", "last_modified")
_UNREADABLE: Final = (FileNotFoundError, PermissionError, IsADirectoryError)


class _Found(NamedTuple):
    """A file: its path below the place, its bytes, and what changes when it does."""

    name: str
    size: int
    version: str


@dataclass(frozen=True)
class _Source:
    """What the kinds of source share: files below a place.

    Attributes:
        place: Folder, prefix or file.
        options: Of its file system.
        names: The files' paths below it, sorted; one that is empty is the place itself.
        fingerprint: Digest of all that was found out about them.
    """

    place: str
    options: dict[str, Any] = field(repr=False)
    names: Sequence[str] = field(repr=False)
    fingerprint: str

    @contextmanager
    def open(self, file: int) -> Iterator[tuple[Any, str]]:
        """Give a file, to read from, and what its path is called."""
        with _open(Files(self.place, **self.options), self.names[file]) as opened:
            yield opened

    def show(self, name: str) -> str:
        """Return what a file is called in the table."""
        return _show(name or self.place.rpartition("/")[2])

    def name_rows(self, chunk: Chunk) -> list[str]:
        """Return names of images that have none: their file and their number in it."""
        name = self.show(self.names[chunk.file])
        return [f"{name}#{row}" for row in range(chunk.start, chunk.stop)]


@dataclass(frozen=True)
class ImageFiles(_Source):
    """Files of one image each."""

    sizes: Sequence[int] = field(repr=False)
    kind: str = "files"

    @property
    def lengths(self) -> Sequence[int]:
        """All of them are one list."""
        return (len(self.names),)

    def read(self, chunk: Chunk) -> ImageChunk:
        """Return the files' bytes; one that is too large is not read."""
        folder = Files(self.place, **self.options)
        span = slice(chunk.start, chunk.stop)
        names, sizes = self.names[span], self.sizes[span]
        paths = [folder.locate(name) for name in names]
        wanted = [path for path, size in zip(paths, sizes, strict=True) if size <= MAX_IMAGE_BYTES]
        contents = folder.read_all(wanted)
        too_large = ImageTooLargeError(f"Expected an image of at most {MAX_IMAGE_BYTES} bytes.")
        images = [_check_read(contents.get(path, too_large)) for path in paths]
        return ImageChunk([self.show(name) for name in names], images)


@dataclass(frozen=True)
class ParquetFiles(_Source):
    """Tables with a column `image` of encoded images, or arrays of one shape; perhaps an `id`."""

    lengths: Sequence[int] = field(repr=False)
    kind: str = "parquet"

    def read(self, chunk: Chunk) -> ImageChunk:
        """Return the rows; one without an `id` is called by its number."""
        with self.open(chunk.file) as (file, path):
            rows = read_rows(file, path, range(chunk.start, chunk.stop))
        named = zip(rows.names, self.name_rows(chunk), strict=True)
        return ImageChunk([number if name is None else name for name, number in named], rows.images)


@dataclass(frozen=True)
class ArrayFiles(_Source):
    """NumPy files of uint8 images `(N, H, W)`."""

    lengths: Sequence[int] = field(repr=False)
    kind: str = "arrays"

    def read(self, chunk: Chunk) -> ImageChunk:
        """Return the images; the rest of the file is not read."""
        with self.open(chunk.file) as (file, path):
            _, height, width = _read_shape(file, path)
            file.seek(chunk.start * height * width, 1)
            content = file.read((chunk.stop - chunk.start) * height * width)
        images_NHW = np.frombuffer(content, dtype=np.uint8).reshape(-1, height, width)
        return ImageChunk(self.name_rows(chunk), images_NHW)


def open_source(place: str, **options: Any) -> ImageSource:
    """Return the images that lie in a place: hidden files, and those that begin with `_`, do not.

    Raises:
        BatchError: If there are none, or of more than one kind, or a file is none of its kind.
    """
    folder = Files(place, **options)
    found = _find_files(folder)
    digest = hashlib.sha256()
    for item in found:
        digest.update(os.fsencode("\t".join(map(str, item))) + b"\n")
    common = place, options, [item.name for item in found], digest.hexdigest()
    suffixes = {_suffix_of(item.name or place) for item in found}
    if not suffixes & {"parquet", "npy"}:
        return ImageFiles(*common, sizes=[item.size for item in found])
    if len(suffixes) > 1:
        message = f"Expected files of one kind in {place}, got {', '.join(sorted(suffixes))}."
        raise BatchError(f"{message} Name those of one kind: batch_inference.images.")
    is_parquet = suffixes == {"parquet"}
    lengths = []
    for item in found:
        with _open(folder, item.name) as (file, path):
            lengths.append(count_rows(file, path) if is_parquet else _count_images(file, path))
    return (ParquetFiles if is_parquet else ArrayFiles)(*common, lengths=lengths)


@contextmanager
def _open(folder: Files, name: str) -> Iterator[tuple[Any, str]]:
    path = folder.locate(name)
    with folder.explained(name), folder.fs.open(path, "rb") as file:
        yield file, _show(path)


def _show(name: str) -> str:
    r"""Return a file's name as text: of one that is no UTF-8 the bytes, as in `\xeb.png`."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _suffix_of(name: str) -> str:
    suffix = name.rpartition(".")[2].lower()
    return suffix if suffix in ("parquet", "npy") else "image files"


def _find_files(place: Files) -> list[_Found]:
    """Return the files of a place by their names: a folder at a time, as there may be millions."""
    with place.explained():
        if place.fs.isfile(place.path):
            return [_describe("", place.fs.info(place.path))]
        start = len(place.path.rstrip("/")) + 1
        found = [
            _describe(join(folder, name)[start:], info)
            for folder, _, files in place.fs.walk(place.path, detail=True)
            for name, info in files.items()
            if name  # S3 may list a prefix as an object of its own
        ]
    found = sorted(item for item in found if not _is_hidden(item.name))
    if not found:
        message = f"Expected images in {place.address}, found none: name a folder, a prefix or a"
        raise BatchError(f"{message} file with --params=batch_inference.images=...")
    return found


def _describe(name: str, info: dict[str, Any]) -> _Found:
    version = next((info[key] for key in _VERSION_KEYS if info.get(key) is not None), "")
    return _Found(name, int(info["size"] or 0), str(version))


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "_")) for part in name.split("/"))


def _check_read(content: bytes | Exception) -> bytes | ImageError:
    """Return what was read, or why it is none; raise where another try may help."""
    if isinstance(content, bytes | ImageError):
        return content
    if isinstance(content, _UNREADABLE):
        return ImageDecodeError(f"Expected a file that can be read: {type(content).__name__}.")
    raise content


def _count_images(file: Any, path: str) -> int:
    shape = _read_shape(file, path)
    start = file.tell()
    held_bytes = file.seek(0, 2) - start
    if held_bytes < math.prod(shape):
        message = f"Expected {math.prod(shape)} bytes of uint8 images {shape} in {path}"
        raise BatchError(f"{message}, got {held_bytes}: the file was cut. Write it anew.")
    return shape[0]


def _read_shape(file: Any, path: str) -> tuple[int, ...]:
    """Return the shape of the array in an `.npy` file, and leave the file where its data begin."""
    try:
        version = np.lib.format.read_magic(file)
        read = {(1, 0): np.lib.format.read_array_header_1_0}.get(
            version, np.lib.format.read_array_header_2_0
        )
        shape, is_fortran, dtype = read(file)
    except ValueError as error:
        raise BatchError(f"Expected a NumPy file, got {path}: {error}") from error
    if dtype != np.uint8 or len(shape) != 3 or 0 in shape[1:] or is_fortran:
        message = f"Expected uint8 images (N, H, W) in {path}, got {dtype} {shape}"
        raise BatchError(message + (", columns first." if is_fortran else "."))
    return tuple(shape)
