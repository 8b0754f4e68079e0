"""Tables that are larger than memory may be: what `bukva.core.scratch` is to arrays.

Each column is a temporary file that is mapped: numbers as NumPy lays them out, texts as Arrow does,
where pandas reads them without a copy. What pandas makes of a table is in memory again, so that
whatever makes a table as long as another makes it of blocks: `gather_blocks`.

Shapes: N rows.
"""

import mmap
from collections.abc import Iterable, Iterator
from tempfile import TemporaryFile
from typing import Final, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pandas.api.extensions import ExtensionArray

from bukva.core.scratch import BLOCK_ROWS, Scratch, needing_room
from bukva.errors import TableError

Rows = TypeVar("Rows", pd.DataFrame, pd.Series)

_TEXT: Final = pa.schema([("text", pa.large_string())])


def iterate_blocks(rows: Rows) -> Iterator[Rows]:
    """Yield the rows of a table or a column in turn, some at a time; of none, an empty block."""
    for start in range(0, max(1, len(rows)), BLOCK_ROWS):
        yield rows.iloc[start : start + BLOCK_ROWS]


def gather_blocks(blocks: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of all blocks as one table, numbered from 0.

    What is changed in the table stays in memory.

    Args:
        blocks: At least one, the first of which names the columns.

    Raises:
        TableError: If they have other columns than the first, or a column holds what it cannot:
            there are columns of numbers, of truth and of text.
    """
    columns: dict[str, _Numbers | _Truth | _Texts] = {}
    for block in blocks:
        columns = columns or {str(name): _new_column(values) for name, values in block.items()}
        if list(block) != list(columns):
            raise TableError(f"Expected the columns {list(columns)}, got {list(block)}.")
        for name, column in columns.items():
            column.append(block[name])
    return pd.DataFrame({name: item.to_array() for name, item in columns.items()}, copy=False)


def hash_texts(texts: pd.Series) -> NDArray[np.uint64]:
    """Return `(N,)`, a number for each text.

    Equal texts have equal numbers. Of a million different ones any two have with a chance of
    3 in 10^8 (64 bits, `pandas.util.hash_array`).
    """
    # A block at a time: as Python objects, they would take ten times the room.
    blocks = (block.to_numpy(dtype=object) for block in iterate_blocks(texts))
    return np.concatenate([pd.util.hash_array(block) for block in blocks])


def number_texts(texts: pd.Series, known: Iterable[str]) -> NDArray[np.int32]:
    """Return `(N,)`, the place of each text among those that are known, -1 if it is none."""
    column = pa.array(texts.astype("str"))
    places = pc.index_in(column, value_set=pa.array(list(known), type=column.type))
    numbers: NDArray[np.int32] = places.fill_null(-1).to_numpy(zero_copy_only=False)
    return numbers


def is_repeated(texts: pd.Series) -> NDArray[np.bool_]:
    """Return `(N,)`, whether a text stands in another row too."""
    rows_M = np.flatnonzero(pd.Series(hash_texts(texts)).duplicated(keep=False))
    is_repeated_N = np.zeros(len(texts), dtype=bool)
    is_repeated_N[rows_M] = texts.iloc[rows_M].duplicated(keep=False)
    return is_repeated_N


class _Numbers:
    def __init__(self, dtype: np.dtype) -> None:
        self._dtype = dtype
        self._scratch = Scratch((), dtype)

    def append(self, values: pd.Series) -> None:
        is_like = isinstance(values.dtype, np.dtype) and np.can_cast(values.dtype, self._dtype)
        if len(values) and not is_like:
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


def _new_column(values: pd.Series) -> _Numbers | _Truth | _Texts:
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "biuf":
        return _Numbers(values.dtype)
    return _Truth() if values.dtype == "boolean" else _Texts()


def _refuse(values: pd.Series, expected: str) -> TableError:
    return TableError(f"Expected {expected} in column {values.name}, got {values.dtype}.")
