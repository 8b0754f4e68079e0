"""One NumPy array as an `.npy` file."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bukva.datasets.file import FileDataset, local_file


class ArrayDataset(FileDataset[NDArray[Any]]):
    """Loads and saves one array; pickled objects are neither written nor read.

    The file is mapped: what is looked at is in memory, and only until the system needs the room.
    From S3 it is fetched into a temporary file, which goes with the array.
    """

    def load(self) -> NDArray[Any]:
        """Return the array; what is changed in it stays in memory, the file is as it was."""
        with local_file(self._fs, self._protocol, self._path()) as path:
            return np.asarray(np.load(path, mmap_mode="c", allow_pickle=False))

    def save(self, data: NDArray[Any]) -> None:
        """Write the array.

        Raises:
            ValueError: If it holds objects; nothing is written then.
        """
        if data.dtype.hasobject:
            raise ValueError("Expected an array of numbers, got objects, which only pickle saves.")
        with self.open_to_write() as file:
            np.save(file, data, allow_pickle=False)
