"""The corpora manifest: what a corpus is, where it comes from, how it is checked.

The manifest is `conf/base/corpora.yml`; this module gives its text a shape and reads no file.
"""

from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from bukva.core.corpora.readers import READERS
from bukva.core.corpora.terms import Terms, Text
from bukva.errors import CorpusError, ParameterError

SplitPolicy: TypeAlias = Literal["own", "stratified", "grouped", "published"]
"""How a corpus is split: its own train and test parts; by label; so that no group (writer, scan
batch) crosses a split; or the split of the published peer (`bukva.tasks.glyph.published`)."""


class CorpusFile(BaseModel):
    """One file of a corpus.

    Attributes:
        path: Where it lies under the raw folder and in a mirror, `corpus/file`.
        sha256: Its checksum, in hexadecimal.
        size_bytes: Its size.
        url: Its official https address, or None where the publisher has no such file.
        md5: Its md5 where the publisher or the field quotes one.
        note: Needed where `url` is None: where the original is, and what was made of it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    path: str
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size_bytes: Annotated[int, Field(gt=0)]
    url: Annotated[str, Field(pattern=r"^https://[^/]+/.+")] | None
    md5: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] | None = None
    note: Text | None = None

    @field_validator("path")
    @classmethod
    def _stays_under_the_raw_folder(cls, path: str) -> str:
        parts = PurePosixPath(path).parts
        if len(parts) != 2 or ".." in parts or parts[0] == "/" or "\\" in path:
            raise ValueError(f"expected 'corpus/file', got {path!r}")
        return path

    @model_validator(mode="after")
    def _says_where_the_original_is(self) -> Self:
        if self.url is None and self.note is None:
            raise ValueError("a file without 'url' needs a 'note' that says where it comes from")
        return self

    @property
    def name(self) -> str:
        """The file's name, without its folder: the key that readers look for."""
        return PurePosixPath(self.path).name


class CorpusEntry(Terms):
    """One corpus: its terms, its files and how it is read and split."""

    split: SplitPolicy
    reader: str
    files: Annotated[tuple[CorpusFile, ...], Field(min_length=1)]
    note: Text | None = None

    @field_validator("reader")
    @classmethod
    def _is_a_known_reader(cls, reader: str) -> str:
        if reader not in READERS:
            raise ValueError(f"expected one of {sorted(READERS)}, got {reader!r}")
        return reader

    @property
    def size_bytes(self) -> int:
        """The size of all files together."""
        return sum(file.size_bytes for file in self.files)


def parse_manifest(content: object) -> dict[str, CorpusEntry]:
    """Return the entries of a manifest by corpus name, in its order.

    Args:
        content: The manifest as YAML gives it, corpus name to entry.

    Raises:
        ParameterError: If any entry does not validate; the message lists all faults of all entries.
    """
    if not isinstance(content, dict):
        got = type(content).__name__
        raise ParameterError(f"Expected the corpora manifest to map names to entries, got {got}.")
    entries: dict[str, CorpusEntry] = {}
    faults: list[str] = []
    for name, body in content.items():
        try:
            entries[str(name)] = CorpusEntry.model_validate(body)
        except ValidationError as error:
            faults += [_describe_fault(str(name), fault) for fault in error.errors()]
    if faults:
        raise ParameterError("\n  ".join(["The corpora manifest does not validate:", *faults]))
    return entries


def select_entries(entries: dict[str, CorpusEntry], names: list[str]) -> dict[str, CorpusEntry]:
    """Return the named entries, in the order of the names.

    Raises:
        CorpusError: If a name is not in the manifest; the message lists all such names.
    """
    unknown = [name for name in names if name not in entries]
    if unknown:
        raise CorpusError(f"Expected corpora among {list(entries)}, got {unknown}.")
    return {name: entries[name] for name in names}


def _describe_fault(name: str, fault: Any) -> str:
    place = ".".join(str(part) for part in (name, *fault["loc"]))
    return f"{place}: {fault['msg']}"
