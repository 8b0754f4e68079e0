"""What the servers write, line by line, with the name of who wrote it."""

from collections.abc import Iterator
from pathlib import Path


class LogFollower:
    """Reads on in every log of a folder, from where it ended when this was made."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read_bytes = {path: path.stat().st_size for path in folder.glob("*.log")}

    def read(self) -> Iterator[str]:
        """Yield the lines that were written since the last time."""
        for path in sorted(self._folder.glob("*.log")):
            for line in self._read_lines(path):
                yield f"{path.stem:<10} | {line}"

    def _read_lines(self, path: Path) -> list[str]:
        begin = self._read_bytes.get(path, 0)
        if path.stat().st_size < begin:  # it was put aside and begun anew
            begin = 0
        with path.open("rb") as file:
            file.seek(begin)
            # A line that is being written is read when it is whole.
            whole, newline, _ = file.read().rpartition(b"\n")
        self._read_bytes[path] = begin + len(whole) + len(newline)
        return whole.decode(errors="replace").splitlines()
