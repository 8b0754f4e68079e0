"""How many threads torch takes, beside what else the machine does."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import psutil
import torch
from tqdm import tqdm

_LOOK_S: Final = 0.2
"""The kernel counts in hundredths of a second: a shorter look tells nothing."""


@contextmanager
def cores_left_by_others() -> Iterator[Callable[[], None]]:
    """Let torch take only the cores that other programs leave it, within the block.

    The threads of one computation wait for the slowest of them: where another program keeps a core
    busy, one thread less is faster. A number that was chosen, by OMP_NUM_THREADS or within this
    process, is left as it is, and so is any number on a system that is not Linux.

    Yields:
        Chooses the number, by what others have used since it was called last.
    """
    most = torch.get_num_threads()
    if most == 1 or most != _unless_chosen():
        yield lambda: None
        return
    others = _Others()
    time.sleep(_LOOK_S)

    def choose() -> None:
        if others.looked_away_s() < _LOOK_S:
            return
        used = others.cores_used()
        threads = min(most, max(1, round(most - used)))
        if threads != torch.get_num_threads():
            tqdm.write(f"other programs use {used:.1f} of {most} cores: threads of torch {threads}")
            torch.set_num_threads(threads)

    try:
        yield choose
    finally:
        torch.set_num_threads(most)


def _unless_chosen() -> int | None:
    """Return how many threads torch takes where nobody says how many; None where it stays so."""
    if sys.platform != "linux" or "OMP_NUM_THREADS" in os.environ:
        return None
    return len(os.sched_getaffinity(0))


class _Others:
    """What other programs use of the cores that this process may use."""

    def __init__(self) -> None:
        self._look()

    def looked_away_s(self) -> float:
        """Return the seconds since the last look."""
        return time.perf_counter() - self._looked_s

    def cores_used(self) -> float:
        """Look; return how many cores others kept busy, on average since the last look."""
        looked_s, own_s = self._looked_s, self._own_s
        busy = self._look()
        return max(0.0, busy - (self._own_s - own_s) / (self._looked_s - looked_s))

    def _look(self) -> float:
        self._looked_s, self._own_s = time.perf_counter(), time.process_time()
        percents: list[float] = psutil.cpu_percent(percpu=True)
        return sum(percents[core] for core in os.sched_getaffinity(0)) / 100
