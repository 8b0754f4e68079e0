"""How long things take, by the wall clock."""

import time
from collections.abc import Callable
from functools import partial
from itertools import cycle, islice
from typing import TypeVar

import numpy as np

T = TypeVar("T")

_WARM_UP_CALLS = 20


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """Do some work; return its result and the seconds that it took."""
    start_s = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start_s


def median_call_ms(answer: Callable[[int], object], samples: int, calls: int) -> float:
    """Return the median of the milliseconds that one call takes, after a few to warm up.

    The median, as other programs of the machine make single calls slow and none fast.

    Args:
        answer: Takes the index of a sample.
        samples: How many there are; they take turns.
        calls: How many are timed.
    """
    indices = islice(cycle(range(samples)), _WARM_UP_CALLS + calls)
    seconds = [timed(partial(answer, index))[1] for index in indices]
    return 1000 * float(np.median(seconds[_WARM_UP_CALLS:]))
