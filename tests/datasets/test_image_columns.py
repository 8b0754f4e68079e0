"""What programs write into the columns of a table, and what becomes of rows that have none."""

import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bukva.datasets.image_columns import ImageRows, count_rows, read_rows
from bukva.errors import BatchError, ImageDecodeError

ENCODED = [b"one", b"two", None, b"six"]


def write(path: Path, images: pa.Array, ids: pa.Array | None = None, **options: Any) -> Path:
    columns = {"image": images} if ids is None else {"id": ids, "image": images}
    pq.write_table(pa.table(columns), path / "a.parquet", **options)
    return path / "a.parquet"


def read(path: Path, rows: range | None = None) -> ImageRows:
    with path.open("rb") as file:
        rows = rows or range(count_rows(file, str(path)))
        return read_rows(file, str(path), rows)


BYTES = [
    *(pa.binary(), pa.large_binary(), pa.binary_view(), pa.binary(3)),
    *(pa.dictionary(pa.int32(), pa.binary()), pa.dictionary(pa.int8(), pa.large_binary())),
]


@pytest.mark.parametrize("kind", BYTES, ids=str)
def test_bytes_are_read_in_any_type(tmp_path: Path, kind: pa.DataType) -> None:
    path = write(tmp_path, pa.array(ENCODED, pa.binary()).cast(kind), row_group_size=3)
    assert read(path) == ([None] * 4, ENCODED)
    assert read(path, range(1, 4)).images == ENCODED[1:]


@pytest.mark.parametrize("kind", BYTES[:4], ids=str)
def test_bytes_beside_a_path_are_read(tmp_path: Path, kind: pa.DataType) -> None:
    """As `datasets` of Hugging Face writes images; what it calls text need not be UTF-8."""
    rows = [content and {"bytes": content, "path": "a.png"} for content in ENCODED]
    column = pa.array(rows, pa.struct({"bytes": kind, "path": pa.string()}))
    assert read(write(tmp_path, column)).images == ENCODED
    paths = pa.array([b"\xeb"] * 4).view(pa.string())
    column = pa.StructArray.from_arrays([pa.array(ENCODED, kind), paths], ["bytes", "path"])
    assert read(write(tmp_path, column)).images == ENCODED


def test_bytes_as_lists_of_numbers_are_read(tmp_path: Path) -> None:
    for kind in (pa.list_(pa.uint8()), pa.large_list(pa.uint8())):
        lists = [content and list(content) for content in ENCODED]
        assert read(write(tmp_path, pa.array(lists, kind))).images == lists


@pytest.mark.parametrize("column", [pa.array(["a"]), pa.array([1]), pa.array([{"data": b"a"}])])
def test_a_column_of_anything_else_is_refused(tmp_path: Path, column: pa.Array) -> None:
    with pytest.raises(BatchError, match=r"Expected bytes, or uint8 tensors .*a\.parquet, got"):
        read(write(tmp_path, column))


@pytest.mark.parametrize("kind", [pa.uint16(), pa.float32()])
def test_tensors_of_another_form_are_refused(tmp_path: Path, kind: pa.DataType) -> None:
    for shape, values in (((2, 2), kind), ((2, 2, 3), pa.uint8()), ((4,), pa.uint8())):
        images = np.zeros((3, *shape), values.to_pandas_dtype())
        column = pa.FixedShapeTensorArray.from_numpy_ndarray(images)
        with pytest.raises(BatchError, match=r"uint8 tensors of one shape \(H, W\)"):
            read(write(tmp_path, column))


def tensors(rows: list[list[int | None] | None]) -> pa.Array:
    storage = pa.array(rows, pa.list_(pa.uint8(), 6))
    return pa.ExtensionArray.from_storage(pa.fixed_shape_tensor(pa.uint8(), (2, 3)), storage)


@pytest.mark.parametrize("rows", [range(7), range(1, 2), range(2, 7), range(4, 6)], ids=str)
def test_a_tensor_that_is_missing_harms_no_other(tmp_path: Path, rows: range) -> None:
    pixels: list[list[int | None] | None] = [[row] * 6 for row in range(7)]
    pixels[1], pixels[5] = None, [1, 2, None, 4, 5, 6]
    images = read(write(tmp_path, tensors(pixels), row_group_size=3), rows).images
    for row, image in zip(rows, images, strict=True):
        if row in (1, 5):
            assert isinstance(image, ImageDecodeError)
            assert str(image).startswith("Expected 2 x 3 pixels, got")
        else:
            np.testing.assert_array_equal(image, np.full((2, 3), row))


IDS = {
    "text": (pa.array(["a", None]), ["a", None]),
    "numbers": (pa.array([7, None]), ["7", None]),
    "bytes": (pa.array([b"a", b"\xeb"]), ["a", r"\xeb"]),
    "text in another code": (pa.array([b"a", b"\xeb"]).view(pa.string()), ["a", r"\xeb"]),
    "categories": (pa.array(["a", None]).dictionary_encode(), ["a", None]),
    "dates": (pa.array([0, None], pa.date32()), ["1970-01-01", None]),
    "lists": (pa.array([["a"], None]), ["['a']", None]),
    "UUID": (pa.array([bytes(16)] * 2, pa.binary(16)).cast(pa.uuid()), [str(uuid.UUID(int=0))] * 2),
    "nothing": (pa.nulls(2), [None, None]),
    "empty text": (pa.array(["", "a"]), ["", "a"]),
}


@pytest.mark.parametrize("name", IDS)
@pytest.mark.parametrize("is_tensor", [True, False])
def test_names_of_any_type_are_text(tmp_path: Path, name: str, is_tensor: bool) -> None:
    ids, expected = IDS[name]
    images = tensors([[1] * 6, None]) if is_tensor else pa.array([b"1", b"2"])
    assert read(write(tmp_path, images, ids)).names == expected


def test_a_broken_page_is_named_by_file_and_rows(tmp_path: Path) -> None:
    images = pa.array([bytes([row]) * 5000 for row in range(100)])
    path = write(tmp_path, images, row_group_size=10, compression="gzip", use_dictionary=False)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 40] = bytes(40)
    path.write_bytes(content)
    assert len(read(path, range(10)).images) == 10
    with pytest.raises(BatchError, match=r"Expected rows 0 to 99 of .*a\.parquet, got: "):
        read(path)
