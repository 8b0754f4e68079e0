"""The request that is being answered, for whoever logs something on its behalf."""

import time
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class CurrentRequest:
    """One request, from its first byte on."""

    id: str
    started_s: float  # of time.perf_counter

    @property
    def ms(self) -> float:
        """Milliseconds since it began."""
        return round((time.perf_counter() - self.started_s) * 1000, 2)


current_request: ContextVar[CurrentRequest | None] = ContextVar("current_request", default=None)
