"""Labelled images as others publish them: Parquet with images in it, or a table beside images.

A label is `handwritten`, `printed` or `typewritten`, by name or, as Hugging Face stores classes, by
number. Taken where they are there: `group` (or `split_group`, `document`, `writer`), which must not
cross a split; `page`, `text`, `split`.
"""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Final, Literal, cast

import pyarrow as pa
import pyarrow.parquet as pq

from bukva.core.corpora.contents import open_archive, read_image_member, read_table
from bukva.core.corpora.lines import KINDS
from bukva.core.samples import RawSample, Split
from bukva.errors import CorpusCorruptError, CorpusMissingError

_GROUPS: Final = ("group", "split_group", "document", "writer")
_SPLITS: Final = {"train": "train", "valid": "valid", "validation": "valid", "dev": "valid",
                  "test": "test"}  # fmt: skip
_ROWS_AT_ONCE: Final = 256


def read_labelled_parquet(
    files: Mapping[str, bytes], only: Literal["handwritten", "printed"] | None = None
) -> Iterator[RawSample]:
    """Yield the images of all Parquet files, from the column `image`: bytes, or `{bytes, path}`.

    A file that is named after a split, as `train-00000-of-00002.parquet`, gives it to its rows.

    Args:
        files: Contents by name.
        only: What all images are, of a corpus without labels.

    Raises:
        CorpusMissingError: If no file is Parquet.
        CorpusCorruptError: If a file does not open, lacks a column, or has a label of another kind.
    """
    names = sorted(name for name in files if name.endswith(".parquet"))
    if not names:
        raise CorpusMissingError(f"Expected the files *.parquet, got {sorted(files)}.")
    for name in names:
        try:
            table = pq.ParquetFile(io.BytesIO(files[name]))
            yield from _read_parquet(table, name, only)
        except pa.ArrowException as error:
            message = f"Expected a Parquet file, got {name}, which cannot be read: {error}."
            raise CorpusCorruptError(message) from error


def read_labelled_table(files: Mapping[str, bytes]) -> Iterator[RawSample]:
    """Yield the images that a CSV table names in `file`, each with its `label`.

    They lie beside the table, file by file, or in zip files.

    Raises:
        CorpusMissingError: If there is not one table.
        CorpusCorruptError: If the table cannot be used, a zip file does not open, or a label is of
            another kind.
    """
    tables = [name for name in files if name.endswith(".csv")]
    if len(tables) != 1:
        raise CorpusMissingError(f"Expected the file *.csv, and one, got {sorted(files)}.")
    archives = [open_archive(files[name], name) for name in sorted(files) if name.endswith(".zip")]
    members = {
        PurePosixPath(member).name: (archive, member)
        for archive in archives
        for member in archive.namelist()
    }
    rows = read_table(files[tables[0]], frozenset({"file", "label"}), tables[0])
    for row in rows:
        name = PurePosixPath(row["file"]).name
        image = files.get(name, b"")
        if not image and name in members:
            image = read_image_member(*members[name])
        yield _to_sample(row["file"], image, _to_label(row["label"], (), row["file"]), row, None)


def _read_parquet(table: pq.ParquetFile, name: str, only: str | None) -> Iterator[RawSample]:
    wanted = {"image"} if only else {"image", "label"}
    known = table.schema_arrow.names
    if missing := wanted - set(known):
        raise CorpusCorruptError(f"Expected columns {sorted(missing)} in {name}, got {known}.")
    classes = _class_names(table.schema_arrow)
    columns = [each for each in known if each in (*wanted, *_GROUPS, "page", "text", "split")]
    place = 0
    for batch in table.iter_batches(_ROWS_AT_ONCE, columns=columns):
        for row in batch.to_pylist():
            where = f"{name}-{place:06d}"
            label = only or _to_label(row["label"], classes, where)
            image = row["image"]
            encoded = image.get("bytes") if isinstance(image, dict) else image
            # Whoever decodes them counts those that are missing.
            yield _to_sample(where, encoded or b"", label, row, name.partition("-")[0])
            place += 1


def _class_names(schema: pa.Schema) -> Sequence[str]:
    """Return what the numbers of a column of classes stand for, as Hugging Face writes it."""
    metadata = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
    label = metadata.get("info", {}).get("features", {}).get("label", {})
    names: Sequence[str] = label.get("names", ())
    return names


def _to_label(label: Any, classes: Sequence[str], where: str) -> str:
    name = label
    if isinstance(label, int) and 0 <= label < len(classes):
        name = classes[label]
    kind = KINDS.get(str(name).strip().lower())
    if kind is None:
        message = f"Expected one of {sorted(KINDS)} as label of {where}, got {label!r}"
        raise CorpusCorruptError(f"{message}, where the classes are {list(classes)}.")
    return kind


def _to_sample(
    name: str, image: bytes, label: str, row: Mapping[str, Any], split: str | None
) -> RawSample:
    group = next((str(row[each]) for each in _GROUPS if row.get(each) is not None), None)
    told = _SPLITS.get(str(row.get("split") or split).lower())
    return RawSample(
        name=name,
        image=image,
        label=label,
        group=group,
        split=cast("Split | None", told),
        text=row.get("text"),
        page=row.get("page"),
    )
