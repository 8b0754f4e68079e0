"""What lies where images are looked for, and how it is read."""

import json
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bukva.core.imaging.opening import MAX_IMAGE_BYTES
from bukva.datasets.image_sources import open_source
from bukva.errors import BatchError, ImageDecodeError, ImageTooLargeError
from bukva.tasks.glyph.batch import Chunk, cut_into_chunks


def numbered(count: int) -> np.ndarray:
    """Images, each of one grey level."""
    levels = np.arange(count, dtype=np.uint8)
    return np.broadcast_to(levels[:, None, None], (count, 4, 6)).copy()


def test_files_are_read_by_their_sorted_names_whatever_they_are_called(tmp_path: Path) -> None:
    for name in ("b/ґ [1].png", "a.png", "b*.jpg", ".hidden.png", "_SUCCESS", "c/.git/x.png"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    source = open_source(str(tmp_path))
    assert (source.kind, source.lengths) == ("files", (3,))
    read = source.read(Chunk(0, 0, 0, 3))
    assert read.names == ["a.png", "b*.jpg", "b/ґ [1].png"]
    assert read.images == [name.encode() for name in read.names]
    assert source.read(Chunk(1, 0, 1, 2)).names == ["b*.jpg"]


def test_a_single_file_is_called_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "one.png").write_bytes(b"1")
    read = open_source(str(tmp_path / "one.png")).read(Chunk(0, 0, 0, 1))
    assert (read.names, read.images) == (["one.png"], [b"1"])


def test_what_cannot_be_read_or_is_too_large_harms_no_other(tmp_path: Path) -> None:
    for name in ("a.png", "gone.png"):
        (tmp_path / name).write_bytes(b"x")
    with (tmp_path / "huge.png").open("wb") as file:
        file.truncate(MAX_IMAGE_BYTES + 1)
    source = open_source(str(tmp_path))
    (tmp_path / "gone.png").unlink()
    content, gone, huge = source.read(Chunk(0, 0, 0, 3)).images
    assert content == b"x"
    assert isinstance(gone, ImageDecodeError)
    assert isinstance(huge, ImageTooLargeError)


@pytest.mark.parametrize(("start", "stop"), [(0, 5), (3, 9), (7, 21), (20, 25), (0, 25)])
@pytest.mark.parametrize("suffix", ["npy", "parquet"])
def test_any_rows_of_a_file_are_read(tmp_path: Path, suffix: str, start: int, stop: int) -> None:
    images_NHW, path = numbered(25), tmp_path / f"images.{suffix}"
    if suffix == "npy":
        np.save(path, images_NHW)
    else:
        column = pa.FixedShapeTensorArray.from_numpy_ndarray(images_NHW)
        pq.write_table(pa.table({"image": column}), path, row_group_size=7)
    source = open_source(str(path))
    read = source.read(Chunk(0, 0, start, stop))
    np.testing.assert_array_equal(read.images, images_NHW[start:stop])
    assert read.names == [f"images.{suffix}#{row}" for row in range(start, stop)]


def test_chunks_hold_all_images_once_and_none_of_two_files() -> None:
    chunks = list(cut_into_chunks([5, 0, 7], 3))
    assert [chunk.number for chunk in chunks] == list(range(5))
    rows = [(chunk.file, row) for chunk in chunks for row in range(chunk.start, chunk.stop)]
    assert rows == [(0, row) for row in range(5)] + [(2, row) for row in range(7)]
    assert max(chunk.stop - chunk.start for chunk in chunks) == 3


def test_the_fingerprint_changes_with_the_files_and_with_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"a")
    first = open_source(str(tmp_path)).fingerprint
    assert open_source(str(tmp_path)).fingerprint == first
    (tmp_path / "b.png").write_bytes(b"b")
    assert open_source(str(tmp_path)).fingerprint != first


def test_nothing_to_read_is_said(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "none"):
        with pytest.raises(BatchError, match=r"found none.*batch_inference\.images"):
            open_source(str(place))


def test_files_of_two_kinds_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", numbered(2))
    (tmp_path / "b.png").write_bytes(b"b")
    with pytest.raises(BatchError, match=r"one kind .* got image files, npy"):
        open_source(str(tmp_path))


def test_a_table_without_images_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"picture": [b"1"]}), tmp_path / "a.parquet")
    with pytest.raises(BatchError, match=r"column 'image' .* got picture"):
        open_source(str(tmp_path))
    pq.write_table(pa.table({"image": ["text"]}), tmp_path / "a.parquet")
    source = open_source(str(tmp_path))
    with pytest.raises(BatchError, match=r"Expected bytes, or uint8 tensors .* got string"):
        source.read(Chunk(0, 0, 0, 1))
    (tmp_path / "a.parquet").write_bytes(b"no table")
    with pytest.raises(BatchError, match="Expected a Parquet file"):
        open_source(str(tmp_path))


@pytest.mark.parametrize(
    "array",
    [
        numbered(2).astype(np.float32),
        numbered(2)[0],
        np.asfortranarray(numbered(3)),
        numbered(2)[:, :0],
    ],
)
def test_arrays_of_another_form_are_refused(tmp_path: Path, array: np.ndarray) -> None:
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(BatchError, match=r"Expected uint8 images \(N, H, W\)"):
        open_source(str(tmp_path))
    (tmp_path / "a.npy").write_bytes(b"no array")
    with pytest.raises(BatchError, match="Expected a NumPy file"):
        open_source(str(tmp_path))


def test_a_file_that_was_cut_is_named_before_anything_is_read(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", numbered(9))
    path = tmp_path / "a.npy"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(BatchError, match=r"Expected 216 bytes .*a\.npy, got 215: the file was cut"):
        open_source(str(tmp_path))


def test_names_that_are_no_utf_8_are_text_in_the_table(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode("Букви".encode("cp1251"))
    folder.mkdir()
    (folder / "a.png").write_bytes(b"a")
    (tmp_path / os.fsdecode(b"\xeb\xe8\xf1\xf2.png")).write_bytes(b"b")
    (tmp_path / "лист.png").write_bytes(b"c")
    read = open_source(str(tmp_path)).read(Chunk(0, 0, 0, 3))
    assert read.images == [b"c", b"a", b"b"]
    assert read.names == ["лист.png", r"\xc1\xf3\xea\xe2\xe8/a.png", r"\xeb\xe8\xf1\xf2.png"]
    assert json.dumps(read.names, ensure_ascii=False).encode()


@pytest.mark.parametrize("suffix", ["npy", "parquet"])
def test_rows_of_such_a_file_are_called_by_its_bytes(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / os.fsdecode(b"\xeb." + suffix.encode())
    if suffix == "npy":
        np.save(path, numbered(2))
    else:
        with path.open("wb") as file:
            pq.write_table(pa.table({"image": [b"1", b"2"]}), file)
    for place in (tmp_path, path):
        read = open_source(str(place)).read(Chunk(0, 0, 0, 2))
        assert read.names == [rf"\xeb.{suffix}#0", rf"\xeb.{suffix}#1"]
    path.write_bytes(b"broken")
    with pytest.raises(BatchError) as refusal:
        open_source(str(tmp_path))
    assert rf"\xeb.{suffix}" in str(refusal.value)
