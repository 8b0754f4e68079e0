"""End what a server left when it was killed: `python -m bukva.stack.leftovers MARK`.

MLflow's server works in a child, which outlives it when it is killed, keeps its port, and answers
on. Its successor would find the port taken. Each server's processes carry a mark of their own in
their environment, so that no other process can be meant.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

MARK: Final = "BUKVA_STACK_SERVER"


def end_leftovers(mark: str) -> list[int]:
    """Kill all processes with this mark but us and those that we come from; return their numbers.

    Where there is no /proc, nothing is found.
    """
    own = set(_ancestors())
    found = [pid for pid in _marked(mark) if pid not in own]
    for pid in found:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return found


def _marked(mark: str) -> Iterator[int]:
    line = f"{MARK}={mark}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended, or is another user's
            if line in (folder / "environ").read_bytes().split(b"\0"):
                yield int(folder.name)


def _ancestors() -> Iterator[int]:
    pid = os.getpid()
    while pid > 0:
        yield pid
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return
        pid = int(stat.rpartition(")")[2].split()[1])


if __name__ == "__main__":
    for number in end_leftovers(sys.argv[1]):
        sys.stdout.write(f"ended process {number}, which was left over\n")
