"""Batch prediction in the catalog: the images, the parts of the result, and what is done of them.

The folder of a result holds `plan.json`, one Parquet file for each chunk of images, and `rejected`,
a table beside it. A part is written whole or not at all, and its name follows from the plan: the
parts that are there are the record of what is done.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from kedro.io import AbstractDataset

from bukva.datasets.files import ReadOnlyDataset
from bukva.datasets.image_sources import open_source
from bukva.datasets.storage import Files
from bukva.errors import BatchError
from bukva.tasks.glyph.batch import ImageSource, Part

_PART: Final = re.compile(r"part-(\d{6,})\.parquet")


@dataclass(frozen=True)
class Progress:
    """What a result folder holds.

    Attributes:
        plan: What it is of; None if nothing was begun.
        done: The numbers of the chunks whose part is there.
    """

    plan: dict[str, Any] | None
    done: frozenset[int]


class BatchImagesDataset(ReadOnlyDataset[ImageSource]):
    """Gives the images of a folder, prefix or file, which are read a chunk at a time."""

    written_by = "a run writes predictions, never images"

    def __init__(
        self,
        *,
        filepath: str,
        fs_args: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._place = filepath
        self._fs_args = fs_args or {}
        self._source: ImageSource | None = None
        self.metadata = metadata

    def load(self) -> ImageSource:
        """Return them; they are listed once a run, as there may be millions.

        Raises:
            BatchError: If there are none, or they are of several kinds.
        """
        self._source = self._source or open_source(self._place, **self._fs_args)
        return self._source

    def _release(self) -> None:
        self._source = None

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._place}


class Parts:
    """The parts of a table, read one after the other."""

    def __init__(self, folder: Files) -> None:
        self._folder = folder

    def numbers(self) -> list[int]:
        """Return which are there, sorted."""
        names = self._folder.names()
        return sorted(int(found[1]) for name in names if (found := _PART.fullmatch(name)))

    def read(self, columns: Sequence[str] | None = None) -> Iterator[Part]:
        """Yield them by their numbers, with these columns or all.

        Raises:
            BatchError: If one is broken.
        """
        wanted = list(columns) if columns else None
        for number in self.numbers():
            path = self._folder.locate(part_name(number))
            try:
                with self._folder.explained(), self._folder.fs.open(path, "rb") as file:
                    table = pq.read_table(file, columns=wanted)
            except pa.ArrowException as error:
                message = f"Expected a part of a batch prediction in {path}, got: {error}"
                raise BatchError(f"{message}. Remove it, and run the same again.") from error
            yield Part(number, table)


def part_name(number: int) -> str:
    """Return what the file of a part is called."""
    return f"part-{number:06d}.parquet"


class _InFolder:
    """What lies below a folder or prefix."""

    def __init__(
        self,
        *,
        folder: str,
        fs_args: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._folder = folder
        self._fs_args = fs_args or {}
        self.metadata = metadata

    def _files(self, below: str = "") -> Files:
        return Files(f"{self._folder}/{below}", **self._fs_args)

    def _describe(self) -> dict[str, Any]:
        return {"folder": self._folder}


class PartsDataset(_InFolder, AbstractDataset[Part, Parts]):
    """Saves a part as one Parquet file, whole or not at all; loads what reads them all."""

    def load(self) -> Parts:
        """Return the parts; none of them is read before it is asked for."""
        return Parts(self._files())

    def save(self, data: Part) -> None:
        """Write the file of this part, in the place of an older one."""
        with self._files().saving(part_name(data.number)) as path:
            pq.write_table(data.table, path, compression="zstd")

    def _exists(self) -> bool:
        return bool(self.load().numbers())


class BatchProgressDataset(_InFolder, ReadOnlyDataset[Progress]):
    """Loads what a result folder holds, before more is added to it.

    Another name for `batch_plan` and `batch_predictions`, which the pipeline makes: under their own
    names they would wait for each other.
    """

    written_by = "batch_plan and batch_predictions are saved"

    def load(self) -> Progress:
        """Return it; a folder that does not exist holds nothing."""
        try:
            plan = json.loads(self._files().read("plan.json"))
        except FileNotFoundError:
            plan = None
        return Progress(plan, frozenset(Parts(self._files("predictions")).numbers()))
