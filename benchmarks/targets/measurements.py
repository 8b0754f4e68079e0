"""The measurements that there are, whichever runs made them."""

import json
from typing import Any

from bukva.datasets.files import ReadOnlyDataset
from bukva.datasets.storage import Files


class MeasurementsDataset(ReadOnlyDataset[dict[str, Any]]):
    """Loads JSON files of flat keys as one; a file that is not there is no error."""

    written_by = "the parts of the benchmark write measurements"

    def __init__(
        self, *, folder: str, files: list[str], metadata: dict[str, Any] | None = None
    ) -> None:
        """Name the files.

        Args:
            folder: Where they lie.
            files: Patterns of their names under it; of one key the last file's value counts.
            metadata: For plugins.
        """
        self._folder = folder
        self._files = files
        self.metadata = metadata

    def load(self) -> dict[str, Any]:
        """Return all keys of all files that match."""
        folder = Files(self._folder)
        measurements: dict[str, Any] = {}
        for pattern in self._files:
            with folder.explained():
                paths = sorted(folder.fs.glob(folder.locate(pattern)))
            for path in paths:
                measurements |= json.loads(folder.read(path.removeprefix(f"{folder.path}/")))
        return measurements

    def _describe(self) -> dict[str, Any]:
        return {"folder": self._folder, "files": self._files}
