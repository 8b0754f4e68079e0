"""The corpora as Kedro datasets: samples by corpus, and the published split.

A catalog names the folder, the corpora that the run uses and the manifest:

    corpora:
      type: bukva.datasets.corpora.CorporaDataset
      folder: data/01_raw
      names: [mnist, rukopys]
      manifest: conf/base/corpora.yml
      feedback: data/02_intermediate/feedback_corpus.parquet
"""

import hashlib
from collections.abc import Iterator
from functools import partial
from typing import Any

import pandas as pd
import yaml

from bukva.core.corpora.idx import read_idx
from bukva.core.corpora.manifest import CorpusEntry, CorpusFile, parse_manifest, select_entries
from bukva.core.corpora.readers import READERS
from bukva.core.corpora.rukopys import read_glyphs_csv
from bukva.core.corrections import FEEDBACK
from bukva.core.samples import LazyCorpora, RawSample
from bukva.datasets.feedback import LineCorrectionsDataset
from bukva.datasets.files import ParquetDataset, ReadOnlyDataset
from bukva.datasets.storage import Files
from bukva.errors import ChecksumError, CorpusMissingError, ParameterError
from bukva.tasks.glyph.feedback.collection import read_feedback
from bukva.tasks.glyph.published import published_split

_RUKOPYS_TABLE_SOURCE = "master.zip"
_MNIST_TEST_LABELS = "t10k-labels-idx1-ubyte.gz"


class _ReadOnlyCorporaDataset(ReadOnlyDataset[Any]):
    """What the datasets here share: the named corpora of a manifest, in a folder or bucket.

    Args:
        folder: Folder or URI with the files, at the paths that the manifest gives.
        names: Corpora of the manifest to use, and perhaps `feedback`; none is legal.
        manifest: Path or URI of the corpora manifest.
        fs_args: Further arguments of the file system of `folder`.
        metadata: For other tools, such as kedro-viz; not used here.
    """

    written_by = "corpora are fetched (make corpora)"

    def __init__(
        self,
        *,
        folder: str,
        names: list[str],
        manifest: str,
        fs_args: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._folder = folder
        self._names = list(names)
        self._manifest = manifest
        self._fs_args = fs_args or {}
        self.metadata = metadata

    def _entries(self) -> dict[str, CorpusEntry]:
        """Return the entries of the named corpora, all of whose files are there."""
        # The manifest lies in the project; without names a run needs neither it nor the folder.
        names = [name for name in self._names if name != FEEDBACK]
        if not names:
            return {}
        entries = select_entries(load_manifest(self._manifest), names)
        _require_files(entries, self._folder, self._fs_args)
        return entries

    def _exists(self) -> bool:
        try:
            self._entries()
        except CorpusMissingError:
            return False
        return True

    def _describe(self) -> dict[str, Any]:
        return {"folder": self._folder, "names": self._names, "manifest": self._manifest}


class CorporaDataset(_ReadOnlyCorporaDataset):
    """The samples of the named corpora, read only when asked for.

    Args:
        feedback: Path or URI of the corpus `feedback`, which is made here and not published.
        corrections: Arguments of a `LineCorrectionsDataset`, which is `feedback` in its place.
        common: As of all datasets here.
    """

    def __init__(
        self, *, feedback: str = "", corrections: dict[str, Any] | None = None, **common: Any
    ) -> None:
        super().__init__(**common)
        self._feedback = feedback
        self._corrections = LineCorrectionsDataset(**corrections) if corrections else None

    def load(self) -> LazyCorpora:
        """Return a function for each named corpus that reads, verifies and yields its samples.

        Raises:
            CorpusMissingError: If files are missing; the message lists all of all corpora.
        """
        corpora: LazyCorpora = {
            name: partial(read_samples, entry, self._folder, **self._fs_args)
            for name, entry in self._entries().items()
        }
        if FEEDBACK not in self._names:
            return corpora
        if self._corrections:
            corpora |= self._corrections.load()
        else:
            corpora[FEEDBACK] = partial(_read_feedback_samples, self._require_feedback())
        return corpora

    def _require_feedback(self) -> str:
        if not (self._feedback and ParquetDataset(filepath=self._feedback).exists()):
            raise CorpusMissingError(
                f"Expected the corpus {FEEDBACK} at {self._feedback or 'a path'}, found none. Make "
                "it: kedro run --pipeline=feedback_ingestion --env=<env>. Or take it out of "
                "`corpora` in conf/<env>/globals.yml."
            )
        return self._feedback

    def _exists(self) -> bool:
        is_made = self._corrections or ParquetDataset(filepath=self._feedback).exists()
        return super()._exists() and (FEEDBACK not in self._names or bool(is_made))


class PublishedSplitDataset(_ReadOnlyCorporaDataset):
    """The published split (`bukva.tasks.glyph.published`), where its corpora are named."""

    def load(self) -> pd.DataFrame | None:
        """Return the table of the published split, or None without rukopys and mnist.

        Raises:
            CorpusMissingError: If files are missing; the message lists all of all corpora.
            ChecksumError: If a file is not the one that the manifest names.
        """
        entries = self._entries()
        if not {"rukopys", "mnist"} <= set(entries):
            return None
        rukopys = read_files(entries["rukopys"], self._folder, **self._fs_args)
        mnist = read_files(entries["mnist"], self._folder, **self._fs_args)
        return published_split(
            read_glyphs_csv(rukopys[_RUKOPYS_TABLE_SOURCE], _RUKOPYS_TABLE_SOURCE),
            read_idx(mnist[_MNIST_TEST_LABELS], _MNIST_TEST_LABELS, dimensions=1),
        )


def read_samples(entry: CorpusEntry, folder: str, **fs_args: Any) -> Iterator[RawSample]:
    """Yield the samples of a corpus whose files lie in a folder or bucket.

    Raises:
        ChecksumError: If a file is not the one that the manifest names.
    """
    yield from READERS[entry.reader](read_files(entry, folder, **fs_args))


def _read_feedback_samples(path: str) -> Iterator[RawSample]:
    yield from read_feedback(ParquetDataset(filepath=path).load())


def load_manifest(uri: str) -> dict[str, CorpusEntry]:
    """Read and parse the corpora manifest.

    Raises:
        ParameterError: If it is not there, is not YAML, or does not validate.
    """
    try:
        content = yaml.safe_load(Files(uri).read().decode())
    except FileNotFoundError:
        message = f"Expected the corpora manifest at {uri}, found none: run from the project's root"
        raise ParameterError(f"{message}, or name it with --manifest.") from None
    except yaml.YAMLError as error:
        raise ParameterError(f"Expected YAML in the corpora manifest {uri}, got: {error}") from None
    return parse_manifest(content)


def missing_files(entry: CorpusEntry, folder: str, **fs_args: Any) -> list[CorpusFile]:
    """Return the files of a corpus that are not under a folder or URI."""
    files = Files(folder, **fs_args)
    return [file for file in entry.files if not files.exists(file.path)]


def read_files(entry: CorpusEntry, folder: str, **fs_args: Any) -> dict[str, bytes]:
    """Return the contents of a corpus's files by name, verified.

    Raises:
        ChecksumError: If a file is not the one that the manifest names.
    """
    files = Files(folder, **fs_args)
    contents: dict[str, bytes] = {}
    for file in entry.files:
        contents[file.name] = files.read(file.path)
        actual = hashlib.sha256(contents[file.name]).hexdigest()
        advice = "Fetch it again: make corpora."
        check_sha256(actual, file, files.locate(file.path), advice)
    return contents


def check_sha256(actual: str, expected: CorpusFile, where: str, advice: str) -> None:
    """Compare a checksum with the manifest's.

    Raises:
        ChecksumError: If they differ; the message names both, the file and what to do.
    """
    if actual != expected.sha256:
        message = f"Expected sha256 {expected.sha256} of {expected.path}, got {actual} from {where}"
        raise ChecksumError(f"{message}. {advice}")


def _require_files(entries: dict[str, CorpusEntry], folder: str, fs_args: dict[str, Any]) -> None:
    missing = [
        f"  {name}: {folder.rstrip('/')}/{file.path}"
        for name, entry in entries.items()
        for file in missing_files(entry, folder, **fs_args)
    ]
    if missing:
        listing = "\n".join(missing)
        raise CorpusMissingError(
            f"Expected the files of {list(entries)}; these are missing:\n{listing}\n"
            "Fetch them with `make corpora`, or from a mirror with "
            "`make corpora FROM=<folder or URI>`."
        )
