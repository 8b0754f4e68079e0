"""Rukopys: zip files of letters on paper, 200x200 pixels, black on white, with a table.

The samples are those of `dev.zip`, which holds every image of `master.zip` byte for byte and adds
capitals. `master.zip` is needed only for the published split (`bukva.tasks.glyph.published`).
"""

import logging
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple
from zipfile import ZipFile

from bukva.core.alphabets import UKRAINIAN
from bukva.core.corpora.contents import (
    content_of,
    open_archive,
    parse_bool,
    read_image_member,
    read_required_member,
    read_table,
)
from bukva.core.samples import RawSample
from bukva.errors import CorpusCorruptError

TABLE: Final = "glyphs.csv"
_COLUMNS: Final = frozenset({"label", "is_uppercase", "filename"})

logger = logging.getLogger(__name__)


class Box(NamedTuple):
    """A box in pixels; first and last column and row that hold ink."""

    left: int
    top: int
    right: int
    bottom: int


def glyph_box(row: Mapping[str, str]) -> Box:
    """Return the box of a glyph from its row of the table.

    The table's columns are exchanged: `top` and `bottom` hold the range of columns, `left` and
    `right` that of rows, which contradicts the corpus's own README (and its `height` is a width).
    """
    return Box(
        left=int(row["top"]),
        top=int(row["left"]),
        right=int(row["bottom"]),
        bottom=int(row["right"]),
    )


def read_glyphs_csv(content: bytes, name: str) -> bytes:
    """Return the table of an archive of the corpus; `name` is for errors.

    Raises:
        CorpusCorruptError: If the archive does not open or has no readable table.
    """
    return read_required_member(open_archive(content, name), TABLE, of=name)


def parse_glyphs(table: bytes) -> list[dict[str, str]]:
    """Return the rows of a table, checked: each label a Ukrainian letter, each file named once.

    Raises:
        CorpusCorruptError: If the table cannot be used; the message names the row.
    """
    rows = list(read_table(table, _COLUMNS, TABLE))
    seen: set[str] = set()
    for row in rows:
        if len(row["label"]) != 1 or row["label"] not in UKRAINIAN:
            message = f"Expected a lower-case Ukrainian letter, got {row['label']!r}"
            raise CorpusCorruptError(f"{message} for {row['filename']} in {TABLE}.")
        if row["filename"] in seen:
            raise CorpusCorruptError(f"Expected one row for {row['filename']} in {TABLE}, got two.")
        seen.add(row["filename"])
    return rows


def files_without_row(archive: ZipFile, rows: list[dict[str, str]]) -> list[str]:
    """Return the images of an archive that its table does not name; they are no samples."""
    named = {row["filename"] for row in rows}
    return [name for name in archive.namelist() if name.endswith(".png") and name not in named]


def read_rukopys(files: Mapping[str, bytes]) -> Iterator[RawSample]:
    """Yield the letters of `dev.zip` in the order of its table, named as there, `glyphs/a-0.png`.

    An image that is missing or broken in the archive is empty. Writers are not recorded.

    Raises:
        CorpusCorruptError: If the archive does not open or its table cannot be used.
    """
    archive = open_archive(content_of(files, "dev.zip"), "dev.zip")
    rows = parse_glyphs(read_required_member(archive, TABLE, of="dev.zip"))
    logger.info("rukopys: %d images without a row left out.", len(files_without_row(archive, rows)))
    for row in rows:
        yield RawSample(
            name=row["filename"],
            image=read_image_member(archive, row["filename"]),
            label=row["label"],
            is_uppercase=parse_bool(row["is_uppercase"], f"is_uppercase of {row['filename']}"),
        )
