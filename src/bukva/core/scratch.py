"""Arrays that are larger than memory may be: rows in a temporary file, read as one array.

The pages of a file that is mapped are the system's to take back when it needs room, so that they
count as nobody's memory. The file has no name, and is gone when nobody holds the array any more.
Where the folder of temporary files is itself in memory, `TMPDIR` names another one.

Shapes: N rows, M of them chosen.
"""

import errno
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from tempfile import TemporaryFile, gettempdir
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from bukva.core.arrays import UInt8Array
from bukva.errors import StorageError

BLOCK_ROWS: Final = 8192
"""Rows that are in memory at a time: six megabytes of framed images."""


@contextmanager
def needing_room() -> Iterator[None]:
    """Says where the disk is full, and what helps.

    Raises:
        StorageError: If what is written in this block finds no room.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise StorageError(
            f"Expected room for temporary files in {gettempdir()}, got: {error.strerror}. Images "
            "and tables lie there while a node runs, 1.2 GB for a million of them: make room, or "
            "name another folder with the variable TMPDIR."
        ) from error


class Scratch:
    """Rows of one shape that are written one block after the other."""

    def __init__(self, row_shape: tuple[int, ...], dtype: DTypeLike = np.uint8) -> None:
        self._row_shape = row_shape
        self._dtype = np.dtype(dtype)
        self._file = TemporaryFile()  # noqa: SIM115 - it lives as long as the array
        self._count = 0

    def append(self, rows: ArrayLike) -> None:
        """Write some more rows, or a single one."""
        rows = np.ascontiguousarray(rows, dtype=self._dtype).reshape(-1, *self._row_shape)
        with needing_room():
            self._file.write(rows.data)
        self._count += len(rows)

    def to_array(self) -> NDArray[Any]:
        """Return all rows as one array; what is changed in it stays in memory."""
        shape = (self._count, *self._row_shape)
        if not self._count:
            return np.zeros(shape, dtype=self._dtype)
        with needing_room():
            self._file.flush()
        return np.asarray(np.memmap(self._file, dtype=self._dtype, mode="c", shape=shape))


def take_rows(array: UInt8Array, chosen: NDArray[np.bool_] | NDArray[np.integer]) -> UInt8Array:
    """Return `array[chosen]`, a block at a time in memory.

    Args:
        array: uint8 `(N, ...)`.
        chosen: `(N,)`, whether a row is wanted; or `(M,)`, the numbers of rows.
    """
    rows_M = np.flatnonzero(chosen) if chosen.dtype == bool else chosen
    if len(rows_M) == len(array) and (np.diff(rows_M) == 1).all():
        return array
    blocks = (array[rows_M[at : at + BLOCK_ROWS]] for at in range(0, len(rows_M), BLOCK_ROWS))
    return _gather(array.shape[1:], blocks)


def join_rows(arrays: Sequence[UInt8Array]) -> UInt8Array:
    """Return the rows of one array after those of the other, a block at a time in memory."""
    return _gather(
        arrays[0].shape[1:],
        (rows[at : at + BLOCK_ROWS] for rows in arrays for at in range(0, len(rows), BLOCK_ROWS)),
    )


def _gather(row_shape: tuple[int, ...], blocks: Iterable[UInt8Array]) -> UInt8Array:
    scratch = Scratch(row_shape)
    for block in blocks:
        scratch.append(block)
    return scratch.to_array()
