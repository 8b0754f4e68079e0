"""One NumPy array as an `.npy` file."""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bukva.datasets.file import FileDataset


class ArrayDataset(FileDataset[NDArray[Any]]):
    """Loads and saves one array; pickled objects are neither written nor read."""

    def load(self) -> NDArray[Any]:
        """Return the array."""
        array: NDArray[Any] = np.load(io.BytesIO(self.read_bytes()), allow_pickle=False)
        return array

    def save(self, data: NDArray[Any]) -> None:
        """Write the array."""
        buffer = io.BytesIO()
        np.save(buffer, data, allow_pickle=False)
        self.write_bytes(buffer.getvalue())
