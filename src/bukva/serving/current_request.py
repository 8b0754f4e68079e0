"""The request that is being answered, for whoever logs something on its behalf."""

import time
from contextvars import ContextVar
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class CurrentRequest:
    """One request, from its first byte on."""

    id: str
    started_s: float  # of time.perf_counter

    @property
    def ms(self) -> float:
        """Milliseconds since it began."""
        return round((time.perf_counter() - self.started_s) * 1000, 2)


_random = Random()  # noqa: S311 - an id is no secret


def new_id() -> str:
    """Returns 32 hexadecimal digits that nobody had before; they can be foretold.

    From a generator of this process: asking the system for chance takes longer than reading the
    request does.
    """
    return f"{_random.getrandbits(128):032x}"


current_request: ContextVar[CurrentRequest | None] = ContextVar("current_request", default=None)
