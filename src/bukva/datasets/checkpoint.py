"""The checkpoint of a training stage, handed to the node as a store.

Like a partitioned dataset, it gives the node a way to read and write rather than a value: the
state of a run is saved while the node runs.
"""

from typing import NoReturn

from bukva.datasets.file import FileDataset
from bukva.training.checkpoint import CheckpointStore


class _FileStore:
    def __init__(self, file: "CheckpointDataset") -> None:
        self._file = file

    def load(self) -> bytes | None:
        return self._file.read_bytes() if self._file.exists() else None

    def save(self, state: bytes) -> None:
        self._file.write_bytes(state)

    def clear(self) -> None:
        self._file.delete()


class CheckpointDataset(FileDataset[CheckpointStore]):
    """Gives the store of one training stage."""

    def load(self) -> CheckpointStore:
        """Return the store; whether anything is in it does not matter."""
        return _FileStore(self)

    def save(self, data: CheckpointStore) -> NoReturn:
        """Refuse: the node writes through the store."""
        raise NotImplementedError("Expected the node to save through the loaded store.")
