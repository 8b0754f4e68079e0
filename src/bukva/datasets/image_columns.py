"""Images in the columns of a Parquet file, as programs write them: bytes or arrays, and names.

Shapes: N images, H x W pixels.
"""

import io
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import accumulate, pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from bukva.errors import BatchError, ImageDecodeError

_IMAGE: Final = "image"
_NAME: Final = "id"
_READ_ROWS: Final = 1024
_READ_BYTES: Final = 1 << 20


class ImageRows(NamedTuple):
    """Rows of a table.

    Attributes:
        names: What stands in the column `id`, as text; None where nothing does.
        images: Of each, what holds the bytes of an image file, its pixels, or why there is none.
    """

    names: list[str | None]
    images: Sequence[object]


def count_rows(file: Any, path: str) -> int:
    """Return how many rows an opened file has.

    Raises:
        BatchError: If it is no Parquet file, or has no column of images.
    """
    try:
        parquet = pq.ParquetFile(file)
    except pa.ArrowException as error:
        raise BatchError(f"Expected a Parquet file, got {path}: {error}") from error
    names = parquet.schema_arrow.names
    if _IMAGE not in names:
        raise BatchError(f"Expected a column '{_IMAGE}' in {path}, got {', '.join(names)}.")
    return int(parquet.metadata.num_rows)


def read_rows(file: Any, path: str, rows: range) -> ImageRows:
    """Return rows of an opened file; of a larger row group the pages are read one by one.

    Raises:
        BatchError: If the file is broken there, or its images are of no form that is known.
    """
    with _naming(rows, path):
        parquet = pq.ParquetFile(file, buffer_size=_READ_BYTES)
        kind = parquet.schema_arrow.field(_IMAGE).type
        if isinstance(kind, pa.FixedShapeTensorType):
            parquet = _open_as_lists(parquet, file)
        table = _read_table(parquet, rows)
    names: list[str | None] = [None] * len(rows)
    if _NAME in table.column_names:
        names = _to_texts(table[_NAME])
    return ImageRows(names, _to_images(table[_IMAGE], kind, path))


@contextmanager
def _naming(rows: range, path: str) -> Iterator[None]:
    """Say which rows of which file were read when it turns out to be broken."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # not the file is broken, but the way to it
        message = f"Expected rows {rows.start} to {rows.stop - 1} of {path}, got: {error}"
        raise BatchError(f"{message}. Write the file anew, and begin in another folder.") from error


def _open_as_lists(parquet: pq.ParquetFile, file: Any) -> pq.ParquetFile:
    """Return the same without what Arrow wrote down of its types: its tensors are lists then.

    As tensors Arrow reads no column in which a row has none.
    """
    footer = io.BytesIO()
    parquet.metadata.write_metadata_file(footer)
    untyped = io.BytesIO(footer.getvalue().replace(b"ARROW:schema", b"ARROW.schema"))
    return pq.ParquetFile(file, metadata=pq.read_metadata(untyped), buffer_size=_READ_BYTES)


def _read_table(parquet: pq.ParquetFile, rows: range) -> pa.Table:
    """Return some rows; of those before them only their row group is passed through."""
    sizes = [parquet.metadata.row_group(g).num_rows for g in range(parquet.num_row_groups)]
    spans = list(pairwise(accumulate(sizes, initial=0)))
    groups = [
        group
        for group, (start, stop) in enumerate(spans)
        if start < rows.stop and rows.start < stop
    ]
    columns = [name for name in (_IMAGE, _NAME) if name in parquet.schema_arrow.names]
    place, batches = spans[groups[0]][0], []
    for batch in parquet.iter_batches(_READ_ROWS, row_groups=groups, columns=columns):
        start, stop = max(rows.start - place, 0), min(rows.stop - place, len(batch))
        if start < stop:
            batches.append(batch.slice(start, stop - start))
        place += len(batch)
        if place >= rows.stop:
            break
    return pa.Table.from_batches(batches)


def _to_texts(column: pa.ChunkedArray) -> list[str | None]:
    r"""Return values of any type as text, bytes that are none as in `\xeb.png`."""
    return [
        value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value
        for value in _to_values(column)
    ]


def _to_values(column: pa.ChunkedArray) -> list[Any]:
    """Return values as bytes or text."""
    # Text first as bytes: what a file calls text need not be UTF-8.
    kinds = () if isinstance(column.type, pa.BaseExtensionType) else (pa.binary(), pa.string())
    for kind in kinds:
        with suppress(pa.ArrowException):
            return list(column.cast(kind).to_pylist())
    return [None if value is None else str(value) for value in column.to_pylist()]


def _to_images(column: pa.ChunkedArray, kind: pa.DataType, path: str) -> Sequence[object]:
    """Return of each image what holds its bytes, or its pixels."""
    if pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0:
        column = pc.struct_field(column, "bytes")
    if _holds_bytes(column.type) and not isinstance(kind, pa.FixedShapeTensorType):
        encoded: list[object] = column.to_pylist()
        return encoded
    if _is_grey(kind):
        return _to_arrays(column.combine_chunks(), kind)
    message = f"Expected bytes, or uint8 tensors of one shape (H, W), as '{_IMAGE}' in {path}"
    raise BatchError(f"{message}, got {kind}.")


def _holds_bytes(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _holds_bytes(kind.value_type)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return bool(kind.value_type == pa.uint8())
    return kind in (pa.binary(), pa.large_binary(), pa.binary_view()) or bool(
        pa.types.is_fixed_size_binary(kind)
    )


def _is_grey(kind: pa.DataType) -> bool:
    is_tensor = isinstance(kind, pa.FixedShapeTensorType)
    return is_tensor and kind.value_type == pa.uint8() and len(kind.shape) == 2 and all(kind.shape)


def _to_arrays(lists: pa.ListArray, kind: pa.FixedShapeTensorType) -> Sequence[object]:
    """Return the pixels of each row, or why it has none."""
    is_whole_N = _find_whole(lists, math.prod(kind.shape))
    pixels = lists.filter(pa.array(is_whole_N)).flatten()
    tensors = pa.FixedSizeListArray.from_arrays(pixels, math.prod(kind.shape))
    images_NHW: Sequence[object] = kind.wrap_array(tensors).to_numpy_ndarray()
    if is_whole_N.all():
        return images_NHW
    left = iter(images_NHW)
    shape = " x ".join(map(str, kind.shape))
    missing = ImageDecodeError(f"Expected {shape} pixels, got a row that has none or lacks some.")
    return [next(left) if is_whole else missing for is_whole in is_whole_N]


def _find_whole(lists: pa.ListArray, size: int) -> NDArray[np.bool_]:
    """Return for each row whether it has as many values as it should, and all of them."""
    lengths = pc.fill_null(pc.list_value_length(lists), -1)
    is_whole_N: NDArray[np.bool_] = np.array(lengths) == size
    values = lists.flatten()
    if values.null_count:
        is_whole_N[pc.list_parent_indices(lists).filter(pc.is_null(values))] = False
    return is_whole_N
