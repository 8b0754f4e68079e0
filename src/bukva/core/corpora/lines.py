"""Corpora of text lines: a zip file of line images beside a table, a row an image.

Each line is a `RawSample`: its label is `handwritten` or `printed`, where typewritten counts as
printed; `text` is what it says, `page` the page that it was cut from, `group` the document or hand
that must not cross a split.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from typing import Final

from bukva.core.corpora.contents import content_of, open_archive, read_image_member, read_table
from bukva.core.samples import RawSample
from bukva.errors import CorpusCorruptError

_ARCHIVE: Final = "lines.zip"
KINDS: Final = {"handwritten": "handwritten", "printed": "printed", "print": "printed",
                 "typewritten": "printed"}  # fmt: skip
_PAGE_NUMBER: Final = re.compile(r"(?:[._-]+page)?[_-]\d+$")


def read_print_and_hand(files: Mapping[str, bytes]) -> Iterator[RawSample]:
    """Yield printed and handwritten lines of the same pages; a group is an opening of a register.

    Raises:
        CorpusCorruptError: If the archive does not open or the table cannot be used.
    """
    columns = frozenset({"file", "page", "label", "text", "split_group"})
    rows = read_table(content_of(files, "lines.csv"), columns, "lines.csv")
    yield from _read_lines(files, ((row, row["split_group"]) for row in rows))


def read_tapuscorpus(files: Mapping[str, bytes]) -> Iterator[RawSample]:
    """Yield lines of typewritten pages, some of them handwritten; a group is a document.

    One of its folders is a selection from many documents, whose pages bear their names.

    Raises:
        CorpusCorruptError: If the archive does not open or the table cannot be used.
    """
    columns = frozenset({"file", "page", "label", "text"})
    rows = read_table(content_of(files, "lines.csv"), columns, "lines.csv")
    yield from _read_lines(files, ((row, _document_of(row["page"])) for row in rows))


def read_testaments(files: Mapping[str, bytes]) -> Iterator[RawSample]:
    """Yield handwritten lines of wills; a group is a will, which is one hand.

    Raises:
        CorpusCorruptError: If the archive does not open or the table cannot be used.
    """
    rows = _read_tsv(files, frozenset({"file", "page", "text"}))
    yield from _read_lines(files, ((row, row["page"].rpartition("-")[0]) for row in rows))


def read_french_hands(files: Mapping[str, bytes]) -> Iterator[RawSample]:
    """Yield handwritten lines of four collections; a group is as the corpus says.

    Raises:
        CorpusCorruptError: If the archive does not open or the table cannot be used.
    """
    rows = _read_tsv(files, frozenset({"file", "page", "text", "corpus", "split_group"}))
    yield from _read_lines(files, ((row, row["split_group"]) for row in rows))


def _read_lines(
    files: Mapping[str, bytes], rows: Iterator[tuple[dict[str, str], str]]
) -> Iterator[RawSample]:
    archive = open_archive(content_of(files, _ARCHIVE), _ARCHIVE)
    for row, group in rows:
        kind = row.get("label", "handwritten")
        if kind not in KINDS:
            message = f"Expected one of {sorted(KINDS)} as label of {row['file']}, got {kind!r}."
            raise CorpusCorruptError(message)
        yield RawSample(
            name=row["file"],
            image=read_image_member(archive, f"lines/{row['file']}"),
            label=KINDS[kind],
            group=group,
            text=row["text"],
            page=row["page"],
            collection=row.get("corpus"),
        )


def _document_of(page: str) -> str:
    folder, _, rest = page.partition("__")
    if folder != "europeana-random-selection":
        return folder
    return f"{folder}/{_PAGE_NUMBER.sub('', rest)}"


def _read_tsv(files: Mapping[str, bytes], columns: frozenset[str]) -> Iterator[dict[str, str]]:
    """Return the rows of `lines.tsv`, which knows neither quotes nor escapes."""
    content = content_of(files, "lines.tsv")
    return read_table(content, columns, "lines.tsv", delimiter="\t", quoting=csv.QUOTE_NONE)
