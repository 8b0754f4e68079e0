"""Tables that are larger than memory may be: what `bukva.data.scratch` is to arrays.

Each column is a temporary file that is mapped: numbers as NumPy lays them out, texts as Arrow does,
where pandas reads them without a copy. What pandas makes of a table is in memory again, so that
whatever makes a table as long as another makes it of blocks: `gather_blocks`.
"""

import mmap
from collections.abc import Iterable, Iterator
from tempfile import TemporaryFile
from typing import Final, Protocol, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
from pandas.api.extensions import ExtensionArray

from bukva.data.scratch import BLOCK_ROWS, Scratch, needing_room
from bukva.errors import TableError

Rows = TypeVar("Rows", pd.DataFrame, pd.Series)

_TEXT: Final = pa.schema([("text", pa.large_string())])


class _Column(Protocol):
    def append(self, values: pd.Series) -> None: ...

    def to_array(self) -> np.ndarray | ExtensionArray: ...


class ScratchTable:
    """Rows of a table that are written one block after the other; the first names the columns."""

    def __init__(self) -> None:
        self._columns: dict[str, _Column] = {}

    def append(self, block: pd.DataFrame) -> None:
        """Write some more rows.

        Raises:
            TableError: If they have other columns than the rows before, or a column holds what it
                cannot: there are columns of numbers, of truth and of text.
        """
        self._columns = self._columns or {
            str(name): _new_column(values) for name, values in block.items()
        }
        if list(block) != list(self._columns):
            raise TableError(f"Expected the columns {list(self._columns)}, got {list(block)}.")
        for name, column in self._columns.items():
            column.append(block[name])

    def to_table(self) -> pd.DataFrame:
        """Return all rows, numbered from 0; what is changed in the table stays in memory."""
        columns = {name: column.to_array() for name, column in self._columns.items()}
        return pd.DataFrame(columns, copy=False)


def iterate_blocks(rows: Rows) -> Iterator[Rows]:
    """Yield the rows of a table or a column in turn, some at a time; of none, an empty block."""
    for start in range(0, max(1, len(rows)), BLOCK_ROWS):
        yield rows.iloc[start : start + BLOCK_ROWS]


def gather_blocks(blocks: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of all blocks as one table, numbered from 0.

    Args:
        blocks: At least one; all with the same columns.

    Raises:
        TableError: As `ScratchTable.append`.
    """
    scratch = ScratchTable()
    for block in blocks:
        scratch.append(block)
    return scratch.to_table()


def _new_column(values: pd.Series) -> _Column:
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "biuf":
        return _Numbers(values.dtype)
    return _Truth() if values.dtype == "boolean" else _Texts()


class _Numbers:
    def __init__(self, dtype: np.dtype) -> None:
        self._dtype = dtype
        self._scratch = Scratch((), dtype)

    def append(self, values: pd.Series) -> None:
        if len(values) and not _holds(self._dtype, values.dtype):
            raise _refuse(values, str(self._dtype))
        self._scratch.append(values.to_numpy())

    def to_array(self) -> np.ndarray:
        return self._scratch.to_array()


class _Truth:
    """True, False or unknown."""

    def __init__(self) -> None:
        self._is_true, self._is_unknown = Scratch((), bool), Scratch((), bool)

    def append(self, values: pd.Series) -> None:
        if len(values) and values.dtype not in ("boolean", "bool"):
            raise _refuse(values, "boolean")
        self._is_true.append(values.to_numpy(dtype=bool, na_value=False))
        self._is_unknown.append(values.isna().to_numpy())

    def to_array(self) -> ExtensionArray:
        return pd.arrays.BooleanArray(self._is_true.to_array(), self._is_unknown.to_array())


class _Texts:
    def __init__(self) -> None:
        self._file = TemporaryFile()  # noqa: SIM115 - it lives as long as the column
        self._writer = pa.ipc.new_stream(self._file, _TEXT)

    def append(self, values: pd.Series) -> None:
        try:
            texts = pa.array(values.to_numpy(), type=pa.large_string(), from_pandas=True)
        except (pa.ArrowTypeError, pa.ArrowInvalid) as error:
            raise _refuse(values, "text") from error
        with needing_room():
            self._writer.write_batch(pa.record_batch([texts], schema=_TEXT))

    def to_array(self) -> ExtensionArray:
        with needing_room():
            self._file.flush()
        mapped = pa.py_buffer(mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ))
        texts = pa.ipc.open_stream(mapped).read_all()["text"]
        text = pd.StringDtype(na_value=np.nan)
        column: ExtensionArray = text.__from_arrow__(texts)  # type: ignore[attr-defined]
        return column


def _holds(dtype: np.dtype, other: object) -> bool:
    return isinstance(other, np.dtype) and np.can_cast(other, dtype)


def _refuse(values: pd.Series, expected: str) -> TableError:
    return TableError(f"Expected {expected} in column {values.name}, got {values.dtype}.")
