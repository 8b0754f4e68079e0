"""Calls of the model in worker threads: gathered, bounded in number, each under a deadline.

A call costs about as much as the reading of two images, so what waits while a thread is busy goes
through the model together. Nothing waits for others to come: `docs/decisions/0010`.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from bukva.errors import RequestError
from bukva.serving.logs import log_failure

Rows = list[dict[str, Any]]


class Model(Protocol):
    """What is called: one row for each encoded image, in their order."""

    def predict(self, images: Sequence[bytes], /) -> Rows:
        """Return the rows, or raise."""


@dataclass(eq=False, repr=False)
class _Job:
    """The images of one request, and the answer that it waits for."""

    model: Model
    images: Sequence[bytes]
    answer: asyncio.Future[Rows] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class ModelCalls:
    """Admits at most `max_in_flight` requests at a time and refuses more at once.

    A call whose deadline passed keeps its place until its thread is free: a model that hangs
    must not gather threads behind it.
    """

    def __init__(
        self, threads: int, max_in_flight: int, deadline_s: float, max_gathered: int = 1
    ) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="model")
        self._free_threads = threads
        self._max_in_flight = max_in_flight
        self._deadline_s = deadline_s
        self._max_gathered = max_gathered
        self._waiting: deque[_Job] = deque()
        self._called = 0

    def has_room(self) -> bool:
        """Whether a further request would be admitted."""
        return len(self._waiting) + self._called < self._max_in_flight

    async def predict(self, model: Model, images: Sequence[bytes]) -> Rows:
        """Returns `model.predict(images)`, called in a worker thread, perhaps beside other images.

        Raises:
            RequestError: `overloaded` if it is not admitted, `deadline_passed` if it takes too
                long, `model_error` if the model raises.
        """
        if not self.has_room():
            raise RequestError("overloaded", "Try again in a moment.")
        job = _Job(model, images)
        self._waiting.append(job)
        self._call_model()
        try:
            await asyncio.wait([job.answer], timeout=self._deadline_s)
            if not job.answer.done():
                raise RequestError(
                    "deadline_passed", f"Expected within {self._deadline_s} seconds."
                )
            if error := job.answer.exception():
                log_failure("model_failed", error)
                raise RequestError("model_error", "It was logged under the request id.") from error
            return job.answer.result()
        finally:
            job.answer.cancel()  # nobody listens any more; what runs already cannot be stopped
            if job in self._waiting:
                self._waiting.remove(job)

    def close(self) -> None:
        """Lets running calls end and drops those that wait."""
        self._waiting.clear()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _call_model(self) -> None:
        while self._free_threads and self._waiting:
            jobs = self._gather()
            self._free_threads -= 1
            self._called += len(jobs)
            call = asyncio.get_running_loop().run_in_executor(self._threads, _answer, jobs)
            call.add_done_callback(partial(self._hand_out, jobs))

    def _gather(self) -> list[_Job]:
        """Take the first request that waits, and what fits beside it into one call."""
        jobs = [self._waiting.popleft()]
        room = self._max_gathered - len(jobs[0].images)
        while self._waiting and self._waiting[0].model is jobs[0].model:
            room -= len(self._waiting[0].images)
            if room < 0:
                break
            jobs.append(self._waiting.popleft())
        return jobs

    def _hand_out(self, jobs: list[_Job], call: asyncio.Future[list[Rows | Exception]]) -> None:
        self._free_threads += 1
        self._called -= len(jobs)
        if call.cancelled():
            return
        for job, answer in zip(jobs, call.result(), strict=True):
            if job.answer.done():
                continue
            if isinstance(answer, Exception):
                job.answer.set_exception(answer)
            else:
                job.answer.set_result(answer)
        self._call_model()


def _answer(jobs: list[_Job]) -> list[Rows | Exception]:
    """Return the rows of each request; an image on which the model breaks harms no other."""
    try:
        rows = iter(jobs[0].model.predict([image for job in jobs for image in job.images]))
    except Exception as error:  # a packaged model may raise anything
        return [error] if len(jobs) == 1 else [_answer([job])[0] for job in jobs]
    return [[next(rows) for _ in job.images] for job in jobs]
