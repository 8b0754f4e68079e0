"""How long things take."""

import time
from collections.abc import Callable
from functools import partial
from itertools import cycle, islice
from typing import NamedTuple, TypeVar

import numpy as np

T = TypeVar("T")

_WARM_UP_CALLS = 20


class Seconds(NamedTuple):
    """Time by the clock on the wall, and time of processors, which other programs do not lengthen.

    The second adds up the threads of this process, and knows nothing of a GPU.
    """

    wall: float
    processor: float


def timed(work: Callable[[], T]) -> tuple[T, Seconds]:
    """Do some work; return its result and the time that it took."""
    wall_s, processor_s = time.perf_counter(), time.process_time()
    result = work()
    return result, Seconds(time.perf_counter() - wall_s, time.process_time() - processor_s)


def median_call_ms(answer: Callable[[int], object], samples: int, calls: int) -> float:
    """Return the median of the milliseconds that one call takes on the wall's clock.

    The median, as other programs of the machine make single calls slow and none fast; the first
    few, which warm up, are not counted.

    Args:
        answer: Takes the index of a sample.
        samples: How many there are; they take turns.
        calls: How many are timed.
    """
    indices = islice(cycle(range(samples)), _WARM_UP_CALLS + calls)
    seconds = [timed(partial(answer, index))[1].wall for index in indices]
    return 1000 * float(np.median(seconds[_WARM_UP_CALLS:]))
