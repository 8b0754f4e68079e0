"""Corrections as the service stores them, what reviewers said of them, and the samples they meet.

A catalog names where the service keeps corrections, and where it delivers them to:

    corrections:
      type: bukva.datasets.feedback.CorrectionsDataset
      folder: data/01_raw/feedback
      delivered: s3://bucket/prefix
"""

import logging
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, NamedTuple, TypeVar

from bukva.core.corrections import DELETED, FEEDBACK, MAX_FILE_BYTES, STATE_FOLDERS, find_task
from bukva.core.samples import LazyCorpora
from bukva.datasets.files import ArrayDataset, FileDataset, ParquetDataset, ReadOnlyDataset
from bukva.datasets.storage import Files
from bukva.errors import CorrectionError, StorageError
from bukva.tasks.glyph.correction import Correction
from bukva.tasks.glyph.feedback.collection import StoredCorrections, describe_unusable
from bukva.tasks.glyph.feedback.decisions import Decisions, parse_decisions, write_decisions
from bukva.tasks.glyph.feedback.selection import KnownSamples
from bukva.tasks.line.feedback import read_line_corrections

T = TypeVar("T")
_LOG = logging.getLogger(__name__)
_READ_AT_ONCE = 256


class _File(NamedTuple):
    """A file below one of the places: where it is, and its bytes or why there are none."""

    path: PurePosixPath
    content: bytes | Exception


class _StoredFilesDataset(ReadOnlyDataset[T]):
    """What datasets of stored corrections share: the files at two places.

    Args:
        folder: Folder or URI of the service's own store.
        delivered: Where it takes them; empty if they stay.
        fs_args: Further arguments of the file systems of both.
        metadata: For other tools, such as kedro-viz; not used here.
    """

    written_by = "the service writes corrections"

    def __init__(
        self,
        *,
        folder: str,
        delivered: str = "",
        fs_args: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._places = [place for place in (folder, delivered) if place]
        self._fs_args = fs_args or {}
        self.metadata = metadata

    def _read(self, place: str) -> Iterator[_File]:
        """Yield the files below a place, many at a time, but for drafts and what is too large."""
        folder = Files(place, **self._fs_args)
        try:
            with folder.explained():
                found = folder.fs.find(folder.path, detail=True)
        except FileNotFoundError:
            return
        sizes = {path: info["size"] for path, info in found.items()}
        below = {path: PurePosixPath(path).relative_to(folder.path) for path in sorted(sizes)}
        paths = [path for path, name in below.items() if not name.name.startswith(".")]
        for start in range(0, len(paths), _READ_AT_ONCE):
            chunk = paths[start : start + _READ_AT_ONCE]
            wanted = [path for path in chunk if sizes[path] <= MAX_FILE_BYTES]
            contents = folder.read_all(wanted)
            too_large = CorrectionError(f"Expected at most {MAX_FILE_BYTES} bytes.")
            yield from (_File(below[path], contents.get(path, too_large)) for path in chunk)

    def _exists(self) -> bool:
        return any(True for place in self._places for _ in self._read(place))

    def _describe(self) -> dict[str, Any]:
        return {"places": self._places}


class CorrectionsDataset(_StoredFilesDataset[StoredCorrections]):
    """Loads all corrections of drawings that are stored now, but those that are to be deleted."""

    def load(self) -> StoredCorrections:
        """Return them with the files that are none; a place that does not exist holds none.

        Raises:
            StorageError: If a store cannot be used: what is in it is not to be passed over.
        """
        files = [file for place in self._places for file in self._read(place)]
        to_be_deleted = {file.path.name for file in files if file.path.parts[0] == DELETED}
        corrections: dict[str, Correction] = {}
        stored = StoredCorrections([], [])
        for file in files:
            if file.path.parts[0] in STATE_FOLDERS or not _is_of_glyphs(file):
                continue
            try:
                correction = _parse(file)
            except StorageError:
                raise
            except (CorrectionError, OSError) as error:
                stored.unusable.append(describe_unusable(str(file.path), error))
                continue
            if correction.place.replace("/", "-") not in to_be_deleted:
                corrections.setdefault(correction.id, correction)
        stored.corrections.extend(corrections.values())
        if not corrections:
            _LOG.warning(
                "There are no corrections in %s. The service keeps them in BUKVA_FEEDBACK_FOLDER "
                "and delivers them to BUKVA_FEEDBACK_URL: set both here as they are there.",
                " nor in ".join(self._places),
            )
        return stored


class LineCorrectionsDataset(_StoredFilesDataset[LazyCorpora]):
    """Loads the corrections of lines that are stored now, as the corpus `feedback`."""

    def load(self) -> LazyCorpora:
        """Return a function that reads them; the corpus holds nothing where there are none.

        Raises:
            StorageError: If a store cannot be used: what is in it is not to be passed over.
        """
        return {FEEDBACK: lambda: read_line_corrections(self._read_contents())}

    def _read_contents(self) -> dict[str, bytes]:
        contents: dict[str, bytes] = {}
        for file in (file for place in self._places for file in self._read(place)):
            if isinstance(file.content, StorageError):
                raise file.content
            if isinstance(file.content, bytes):
                contents.setdefault(str(file.path), file.content)
        return contents


def _is_of_glyphs(file: _File) -> bool:
    return isinstance(file.content, Exception) or find_task(file.content) == "glyph"


def _parse(file: _File) -> Correction:
    """Return the correction that a file holds.

    Raises:
        CorrectionError: If it holds none, or another one than it is called by.
        OSError: If it could not be read.
    """
    if isinstance(file.content, Exception):
        raise file.content
    correction = Correction.parse(file.content)
    if file.path.name != f"{correction.id}.json":
        raise CorrectionError(f"Expected the correction {file.path.stem}, got {correction.id}.")
    if correction.image is None:
        raise CorrectionError("Expected a correction with its image, got the receipt of one.")
    return correction


class DecisionsDataset(FileDataset[Decisions]):
    """Loads and saves what reviewers said, by correction; without a file nobody said anything."""

    def load(self) -> Decisions:
        """Return the decisions.

        Raises:
            CorrectionError: If the file is broken: nothing that people said is passed over.
        """
        return parse_decisions(self.beside().read()) if self._exists() else {}

    def save(self, data: Decisions) -> None:
        """Write the file: whole, or not at all."""
        self.beside().write(write_decisions(data))


class KnownSamplesDataset(ReadOnlyDataset[KnownSamples | None]):
    """Loads the samples that the last `data_processing` left, None before there was one.

    Another name for `sample_table` and `sample_images`, which that pipeline makes of this one's
    corpus: under their own names the two would wait for each other.
    """

    written_by = "run the pipeline data_processing"

    def __init__(
        self, *, filepath: str, images: str, metadata: dict[str, Any] | None = None
    ) -> None:
        self._table = ParquetDataset(filepath=filepath)
        self._images = ArrayDataset(filepath=images)
        self._filepath = filepath
        self.metadata = metadata

    def load(self) -> KnownSamples | None:
        """Return table and images."""
        return KnownSamples(self._table.load(), self._images.load()) if self._exists() else None

    def _exists(self) -> bool:
        return bool(self._table.exists() and self._images.exists())

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath}
