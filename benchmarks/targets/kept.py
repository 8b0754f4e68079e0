"""Results of long computations, kept one by one, so that a killed run goes on with the rest."""

from collections.abc import Callable
from typing import Any

import pandas as pd

from bukva.core.training.checkpoint import CheckpointStore
from bukva.datasets.files import ParquetDataset, ReadOnlyDataset
from bukva.datasets.models import CheckpointDataset


class KeptTables:
    """Tables by name in one folder, each computed once, so that a killed run goes on."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def recall(self, name: str, compute: Callable[[CheckpointStore], pd.DataFrame]) -> pd.DataFrame:
        """Return the table of this name; compute and keep it if there is none.

        Args:
            name: Must name everything that decides the table.
            compute: Gets a store for the checkpoints of its training.
        """
        table = ParquetDataset(filepath=f"{self._folder}/{name}.parquet")
        if not table.exists():
            table.save(compute(CheckpointDataset(filepath=f"{self._folder}/{name}.pt").load()))
        kept: pd.DataFrame = table.load()
        return kept


class KeptTablesDataset(ReadOnlyDataset[KeptTables]):
    """Gives a node the store of its tables."""

    written_by = "the node saves through the loaded store"

    def __init__(self, *, folder: str, metadata: dict[str, Any] | None = None) -> None:
        self._folder = folder
        self.metadata = metadata

    def load(self) -> KeptTables:
        """Return the store; whether anything is in it does not matter."""
        return KeptTables(self._folder)

    def _describe(self) -> dict[str, Any]:
        return {"folder": self._folder}
