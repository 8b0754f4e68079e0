"""Calls of the model in worker threads: bounded in number, each under a deadline."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from bukva.errors import RequestError
from bukva.serving.logs import log_failure

Answer = TypeVar("Answer")


class ModelCalls:
    """Admits at most `max_in_flight` calls at a time and refuses more at once.

    A call whose deadline passed keeps its place until its thread is free: a model that hangs
    must not gather threads behind it.
    """

    def __init__(self, threads: int, max_in_flight: int, deadline_s: float) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="model")
        self._max_in_flight = max_in_flight
        self._deadline_s = deadline_s
        self._in_flight: set[Future[Any]] = set()

    def refuse_when_full(self) -> None:
        """Raises RequestError `overloaded` when no further call would be admitted."""
        if len(self._in_flight) >= self._max_in_flight:
            raise RequestError("overloaded", "Try again in a moment.")

    async def run(self, call: Callable[..., Answer], *args: object) -> Answer:
        """Returns `call(*args)`, run in a worker thread.

        Raises:
            RequestError: `overloaded` if it is not admitted, `deadline_passed` if it takes too
                long, `model_error` if it raises.
        """
        self.refuse_when_full()
        future = self._threads.submit(call, *args)
        self._in_flight.add(future)
        future.add_done_callback(self._in_flight.discard)
        task = asyncio.ensure_future(asyncio.wrap_future(future))
        await asyncio.wait([task], timeout=self._deadline_s)
        if not task.done():
            task.cancel()  # takes it out of the queue; what runs already cannot be stopped
            raise RequestError("deadline_passed", f"Expected within {self._deadline_s} seconds.")
        if error := task.exception():
            log_failure("model_failed", error)
            raise RequestError("model_error", "It was logged under the request id.") from error
        return task.result()

    def close(self) -> None:
        """Lets running calls end and drops those that wait."""
        self._threads.shutdown(wait=False, cancel_futures=True)
