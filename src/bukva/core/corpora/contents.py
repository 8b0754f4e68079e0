"""What readers share: finding a file among the contents, and reading archives within bounds."""

import csv
import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from typing import Final, Literal

from bukva.errors import CorpusCorruptError, CorpusMissingError

MAX_IMAGE_BYTES: Final = 16 * 1024 * 1024
MAX_TABLE_BYTES: Final = 64 * 1024 * 1024

_MEMBER_ERRORS: Final = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError)
# RuntimeError is what zipfile raises for a member that needs a password; its subclass
# NotImplementedError, for a compression it does not know.


def content_of(files: Mapping[str, bytes], name: str) -> bytes:
    """Return the content of a file of the corpus, by its name without folder.

    Raises:
        CorpusMissingError: If the corpus was given without this file.
    """
    try:
        return files[name]
    except KeyError:
        raise CorpusMissingError(f"Expected the file {name}, got {sorted(files)}.") from None


def open_archive(content: bytes, name: str) -> zipfile.ZipFile:
    """Open a zip file from its content; `name` is for the error.

    Raises:
        CorpusCorruptError: If the content is no zip file.
    """
    try:
        return zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise CorpusCorruptError(
            f"Expected a zip file, got {name}, which does not open: {error}."
        ) from None


def read_member(archive: zipfile.ZipFile, name: str, max_bytes: int) -> bytes | None:
    """Return the content of a member, or None if it is missing, broken or too large.

    At most `max_bytes` + 1 are unpacked, whatever the archive says of the member's size.
    """
    try:
        with archive.open(name) as member:
            content = member.read(max_bytes + 1)
    except (KeyError, *_MEMBER_ERRORS):
        return None
    return content if len(content) <= max_bytes else None


def read_required_member(archive: zipfile.ZipFile, name: str, of: str) -> bytes:
    """Return the content of a member without which the archive `of` is useless.

    Raises:
        CorpusCorruptError: If it is missing, broken or larger than 64 MiB.
    """
    content = read_member(archive, name, MAX_TABLE_BYTES)
    if content is None:
        limit_mib = MAX_TABLE_BYTES // 1024**2
        message = f"Expected {name} in {of}, readable and of at most {limit_mib} MiB"
        raise CorpusCorruptError(f"{message}; it is missing, broken or larger.")
    return content


def read_image_member(archive: zipfile.ZipFile, name: str) -> bytes:
    """Return an encoded image; empty, and so unreadable, if missing, broken or over 16 MiB."""
    return read_member(archive, name, MAX_IMAGE_BYTES) or b""


def read_table(
    content: bytes, columns: frozenset[str], name: str, *, delimiter: str = ",",
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL,
) -> Iterator[dict[str, str]]:  # fmt: skip
    """Yield the rows of a CSV table in UTF-8; one with tabs may know no quotes (`QUOTE_NONE`).

    Raises:
        CorpusCorruptError: If it is not UTF-8, lacks one of `columns`, or has a short row.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CorpusCorruptError(f"Expected UTF-8 in {name}, got: {error}.") from None
    lines = io.StringIO(text, newline="")
    reader = csv.DictReader(lines, delimiter=delimiter, quoting=quoting)
    if missing := columns - set(reader.fieldnames or ()):
        got = list(reader.fieldnames or ())
        raise CorpusCorruptError(f"Expected columns {sorted(missing)} in {name}, got {got}.")
    for row in reader:
        if any(row[column] is None for column in columns):
            raise CorpusCorruptError(
                f"Expected {sorted(columns)} in line {reader.line_num} of {name}."
            )
        yield row


def parse_bool(text: str, where: str) -> bool:
    """Return the truth value that `True` or `False` in a table stands for.

    Raises:
        CorpusCorruptError: If the text is neither.
    """
    if text not in ("True", "False"):
        raise CorpusCorruptError(f"Expected True or False in {where}, got {text!r}.")
    return text == "True"
