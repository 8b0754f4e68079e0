"""Labelled images come from Parquet as Hugging Face writes it, and from a table beside images."""

import io
import json
import zipfile
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bukva.core.corpora.labelled import read_labelled_parquet, read_labelled_table
from bukva.core.corpora.readers import READERS
from bukva.errors import CorpusCorruptError, CorpusMissingError

STRUCT = pa.struct({"bytes": pa.binary(), "path": pa.string()})
CLASSES = {"names": ["printed", "handwritten"], "_type": "ClassLabel"}


def write_parquet(kind: pa.DataType = STRUCT, **columns: list[Any]) -> bytes:
    images = [f"image {place}".encode() for place in range(3)]
    if pa.types.is_struct(kind):
        array = pa.array([{"bytes": image, "path": None} for image in images], type=kind)
    else:
        array = pa.array(images, type=kind)
    table = pa.table({"image": array, **columns})
    described = {"info": {"features": {"label": CLASSES, "image": {"_type": "Image"}}}}
    buffer = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({"huggingface": json.dumps(described)}), buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "kind", [STRUCT, pa.binary(), pa.binary_view(), pa.large_binary()], ids=str
)
def test_classes_by_number_have_the_names_that_hugging_face_keeps(kind: pa.DataType) -> None:
    content = write_parquet(kind, label=[0, 1, 0], document=["a", "b", "b"])
    samples = list(read_labelled_parquet({"validation-00000-of-00001.parquet": content}))
    assert [each.label for each in samples] == ["printed", "handwritten", "printed"]
    assert [each.image for each in samples] == [b"image 0", b"image 1", b"image 2"]
    assert [each.group for each in samples] == ["a", "b", "b"]
    assert {each.split for each in samples} == {"valid"}
    assert len({each.name for each in samples}) == 3


def test_a_corpus_of_one_class_needs_no_labels() -> None:
    files = {"data.parquet": write_parquet(text=["а", "б", None])}
    samples = list(READERS["handwritten_parquet"](files))
    assert {each.label for each in samples} == {"handwritten"}
    assert [each.text for each in samples] == ["а", "б", None]
    assert {each.split for each in samples} == {None}


def test_a_label_that_is_none_is_named_with_its_place() -> None:
    files = {"a.parquet": write_parquet(label=["printed", "typewritten", "cursive"])}
    with pytest.raises(CorpusCorruptError, match=r"a\.parquet-000002, got 'cursive'"):
        list(read_labelled_parquet(files))


@pytest.mark.parametrize(
    ("files", "error", "message"),
    [
        ({"a.csv": b"x"}, CorpusMissingError, r"the files \*\.parquet"),
        ({"a.parquet": b"PAR1"}, CorpusCorruptError, r"a\.parquet, which cannot be read"),
        ({"a.parquet": write_parquet()}, CorpusCorruptError, r"columns \['label'\]"),
    ],
)
def test_what_cannot_be_read_is_named(
    files: dict[str, bytes], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        list(read_labelled_parquet(files))


def test_images_lie_beside_their_table_or_in_a_zip_file() -> None:
    table = b"file,label,page\nlines/a.png,typewritten,7\nb.png,handwritten,8\nc.png,printed,8\n"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("scans/a.png", b"A")
    files = {"lines.csv": table, "scans.zip": buffer.getvalue(), "b.png": b"B"}
    samples = list(read_labelled_table(files))
    assert [each.image for each in samples] == [b"A", b"B", b""], (
        "who decodes counts what is missing"
    )
    assert [each.label for each in samples] == ["printed", "handwritten", "printed"]
    assert [each.page for each in samples] == ["7", "8", "8"]


def test_two_tables_are_one_too_many() -> None:
    with pytest.raises(CorpusMissingError, match=r"the file \*\.csv, and one"):
        list(read_labelled_table({"a.csv": b"", "b.csv": b""}))
