"""The corpora as Kedro datasets: samples by corpus, and the published split.

A catalog names the folder, the corpora that the run uses and the manifest:

    corpora:
      type: bukva.datasets.corpora.CorporaDataset
      folder: data/01_raw
      names: [mnist, rukopys]
      manifest: conf/base/corpora.yml
      feedback: data/02_intermediate/feedback_corpus.parquet
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pandas as pd
from kedro_datasets.pandas import ParquetDataset

from bukva.data.feedback.collection import FEEDBACK, read_feedback
from bukva.data.formats import READERS
from bukva.data.formats.idx import read_idx
from bukva.data.formats.rukopys import read_glyphs_csv
from bukva.data.manifest import CorpusEntry, select_entries
from bukva.data.published import published_split
from bukva.data.samples import LazyCorpora, RawSample
from bukva.datasets.read_only import ReadOnlyDataset
from bukva.datasets.storage import join, load_manifest, missing_files, read_files
from bukva.errors import CorpusMissingError

_RUKOPYS_TABLE_SOURCE = "master.zip"
_MNIST_TEST_LABELS = "t10k-labels-idx1-ubyte.gz"


class _ReadOnlyCorporaDataset(ReadOnlyDataset[Any]):
    """What the datasets here share: the named corpora of a manifest, in a folder or bucket.

    Args:
        folder: Folder or URI with the files, at the paths that the manifest gives.
        names: Corpora of the manifest to use, and perhaps `feedback`; none is legal.
        manifest: Path or URI of the corpora manifest.
        credentials: Passed to the file system of `folder`.
        fs_args: Further arguments of that file system.
        metadata: For other tools, such as kedro-viz; not used here.
    """

    written_by = "corpora are fetched (make corpora)"

    def __init__(
        self,
        *,
        folder: str,
        names: list[str],
        manifest: str,
        credentials: dict[str, Any] | None = None,
        fs_args: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._folder = folder
        self._names = list(names)
        self._manifest = manifest
        self._storage_options = {**(fs_args or {}), **(credentials or {})}
        self.metadata = metadata

    def _entries(self) -> dict[str, CorpusEntry]:
        """Return the entries of the named corpora, all of whose files are there."""
        # The manifest lies in the project; without names a run needs neither it nor the folder.
        names = [name for name in self._names if name != FEEDBACK]
        if not names:
            return {}
        entries = select_entries(load_manifest(self._manifest), names)
        _require_files(entries, self._folder, self._storage_options)
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
        common: As of all datasets here.
    """

    def __init__(self, *, feedback: str = "", **common: Any) -> None:
        super().__init__(**common)
        self._feedback = feedback

    def load(self) -> LazyCorpora:
        """Return a function for each named corpus that reads, verifies and yields its samples.

        Raises:
            CorpusMissingError: If files are missing; the message lists all of all corpora.
        """
        corpora: LazyCorpora = {
            name: partial(read_samples, entry, self._folder, **self._storage_options)
            for name, entry in self._entries().items()
        }
        if FEEDBACK in self._names:
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
        if FEEDBACK in self._names and not ParquetDataset(filepath=self._feedback).exists():
            return False
        return super()._exists()


class PublishedSplitDataset(_ReadOnlyCorporaDataset):
    """The published split (`bukva.data.published`), where its two corpora are among the names."""

    def load(self) -> pd.DataFrame | None:
        """Return the table of the published split, or None without rukopys and mnist.

        Raises:
            CorpusMissingError: If files are missing; the message lists all of all corpora.
            ChecksumError: If a file is not the one that the manifest names.
        """
        entries = self._entries()
        if not {"rukopys", "mnist"} <= set(entries):
            return None
        rukopys = read_files(entries["rukopys"], self._folder, **self._storage_options)
        mnist = read_files(entries["mnist"], self._folder, **self._storage_options)
        return published_split(
            read_glyphs_csv(rukopys[_RUKOPYS_TABLE_SOURCE], _RUKOPYS_TABLE_SOURCE),
            read_idx(mnist[_MNIST_TEST_LABELS], _MNIST_TEST_LABELS, dimensions=1),
        )


def read_samples(entry: CorpusEntry, folder: str, **storage_options: Any) -> Iterator[RawSample]:
    """Yield the samples of a corpus whose files lie in a folder or bucket.

    Raises:
        ChecksumError: If a file is not the one that the manifest names.
    """
    yield from READERS[entry.reader](read_files(entry, folder, **storage_options))


def _read_feedback_samples(path: str) -> Iterator[RawSample]:
    yield from read_feedback(ParquetDataset(filepath=path).load())


def _require_files(
    entries: dict[str, CorpusEntry], folder: str, storage_options: dict[str, Any]
) -> None:
    missing = [
        f"  {name}: {join(folder, file.path)}"
        for name, entry in entries.items()
        for file in missing_files(entry, folder, **storage_options)
    ]
    if missing:
        listing = "\n".join(missing)
        raise CorpusMissingError(
            f"Expected the files of {list(entries)}; these are missing:\n{listing}\n"
            "Fetch them with `make corpora`, or from a mirror with "
            "`make corpora FROM=<folder or URI>`."
        )
