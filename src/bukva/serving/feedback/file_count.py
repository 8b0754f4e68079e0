"""How many files a folder holds, known without listing it each time."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

_MAX_AGE_S = 10.0


class FileCount:
    """A number that is counted now and then and kept up in between.

    Changed by one thread at a time. What other processes do to the folder shows at the next count.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.refresh()

    @property
    def value(self) -> int:
        """The number as it is known."""
        return self._value

    def add(self, number: int) -> None:
        """Takes into account what this process has added, or taken away."""
        self._value += number

    def refresh(self) -> None:
        """Counts anew."""
        self._value = sum(1 for _ in list_files(self._folder))
        self._counted_s = time.monotonic()

    def refresh_when_old(self) -> None:
        """Counts anew if the last count was long ago."""
        if time.monotonic() - self._counted_s > _MAX_AGE_S:
            self.refresh()


def list_files(folder: Path) -> Iterator[str]:
    """Names of the plain files in a folder, without hidden ones; none where it cannot be listed."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.name.startswith(".") and entry.is_file(follow_symlinks=False):
                    yield entry.name
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return
