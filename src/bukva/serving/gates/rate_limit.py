"""How often one caller may ask.

Our own forty lines, where the library `limits` would do the same with less: it has no bucket that
allows a burst, its memory holds every address that ever came within a minute, however many, and
a thread of its own walks through them all.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from fastapi import Request

from bukva.errors import RequestError
from bukva.serving.gates.caller import name_caller

# Some 25 MB. Who is dropped begins anew with a full bucket: those who came longest ago, so that
# theirs has most likely filled up again anyway.
_MAX_CALLERS = 100_000


class RateLimit:
    """A bucket for each caller: `burst` requests fit in, and `per_minute` of them come back.

    It is kept as one number, the time at which the bucket would be full again (GCRA).
    """

    def __init__(
        self,
        per_minute: int,
        burst: int,
        max_callers: int = _MAX_CALLERS,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._interval_s = 60 / per_minute
        self._depth_s = (burst - 1) * self._interval_s
        self._max_callers = max_callers
        self._now_s = now_s
        self._full_at_s: OrderedDict[str, float] = OrderedDict()

    def take(self, caller: str) -> float:
        """Take one request of `caller`'s; 0 if it may pass, else the seconds to wait."""
        now_s = self._now_s()
        full_at_s = max(self._full_at_s.pop(caller, now_s), now_s)
        wait_s = max(full_at_s - self._depth_s - now_s, 0.0)
        self._full_at_s[caller] = full_at_s if wait_s else full_at_s + self._interval_s
        if len(self._full_at_s) > self._max_callers:
            self._full_at_s.popitem(last=False)
        return wait_s


class RateGate:
    """A dependency that lets pass only as many requests of a caller as the limit allows."""

    def __init__(self, limit: RateLimit) -> None:
        self._limit = limit

    async def __call__(self, request: Request) -> None:
        """Counts the request, or raises RequestError `rate_limited`."""
        wait_s = self._limit.take(name_caller(request))
        if wait_s:
            raise RequestError("rate_limited", "Ask less often.", math.ceil(wait_s))
