"""Results of long computations, kept one by one, so that a killed run goes on with the rest.

Like the checkpoint of a training stage, it gives the node a store rather than a value: a result is
saved while the node runs.
"""

from collections.abc import Callable
from typing import Any, NoReturn

import pandas as pd
from kedro.io import AbstractDataset
from kedro_datasets.pandas import ParquetDataset

from bukva.datasets.checkpoint import CheckpointDataset
from bukva.training.checkpoint import CheckpointStore


class KeptTables:
    """Tables by name in one folder, each computed once."""

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
            checkpoints = CheckpointDataset(filepath=f"{self._folder}/{name}.pt").load()
            table.save(compute(checkpoints))
        kept: pd.DataFrame = table.load()
        return kept


class KeptTablesDataset(AbstractDataset[KeptTables, KeptTables]):
    """Gives the store of one part of the benchmark."""

    def __init__(self, *, folder: str, metadata: dict[str, Any] | None = None) -> None:
        self._folder = folder
        self.metadata = metadata

    def load(self) -> KeptTables:
        """Return the store; whether anything is in it does not matter."""
        return KeptTables(self._folder)

    def save(self, data: KeptTables) -> NoReturn:
        """Refuse: the node writes through the store."""
        raise NotImplementedError("Expected the node to save through the loaded store.")

    def _describe(self) -> dict[str, Any]:
        return {"folder": self._folder}
