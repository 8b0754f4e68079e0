"""What the routes work with, and how they ask a model: in worker threads, under a deadline.

Each task has its own model, its own threads and its own queue, so that what is slow in one holds
up nobody in another.

A call costs about as much as the reading of two images, so what waits while a thread is busy goes
through the model together. Nothing waits for others to come: `docs/decisions/0010`.
"""

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, Generic, Protocol, TypeVar

from fastapi import Depends, Request

from bukva.errors import RequestError
from bukva.serving.feedback import FeedbackStore, FeedbackUploader
from bukva.serving.glyph_model import GlyphModel
from bukva.serving.logs import log_failure
from bukva.serving.metrics import Metrics, PredictionLog
from bukva.serving.model_source import M, ModelSource
from bukva.serving.reader_models import DocumentModel, LineModel
from bukva.serving.settings import Settings
from bukva.tasks.glyph.answer import Recognition

A = TypeVar("A")
A_co = TypeVar("A_co", covariant=True)
Answers = Sequence[Any]


class Model(Protocol[A_co]):
    """What is called: an answer for each encoded image, in their order."""

    def predict(self, images: Sequence[bytes], /) -> Sequence[A_co]:
        """Return the answers, or raise."""


@dataclass(eq=False, repr=False)
class _Job:
    """The images of one request, and the answers that it waits for."""

    model: Model[Any]
    images: Sequence[bytes]
    answer: asyncio.Future[Answers] = field(
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

    async def predict(self, model: Model[A], images: Sequence[bytes]) -> Sequence[A]:
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
            async with asyncio.timeout(self._deadline_s) as deadline:
                return await job.answer
        except Exception as error:  # onnxruntime may raise anything, a TimeoutError too
            if deadline.expired():
                message = f"Expected within {self._deadline_s} seconds."
                raise RequestError("deadline_passed", message) from None
            log_failure("model_failed", error)
            raise RequestError("model_error", "It was logged under the request id.") from error
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
        while self._waiting and self._waiting[0].model == jobs[0].model:
            room -= len(self._waiting[0].images)
            if room < 0:
                break
            jobs.append(self._waiting.popleft())
        return jobs

    def _hand_out(self, jobs: list[_Job], call: asyncio.Future[list[Answers | Exception]]) -> None:
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


def _answer(jobs: list[_Job]) -> list[Answers | Exception]:
    """Return the answers to each request; an image on which the model breaks harms no other."""
    try:
        answers = iter(jobs[0].model.predict([image for job in jobs for image in job.images]))
    except Exception as error:  # onnxruntime may raise anything
        return [error] if len(jobs) == 1 else [_answer([job])[0] for job in jobs]
    return [[next(answers) for _ in job.images] for job in jobs]


@dataclass
class Lifetime:
    """Whether the process is about to end."""

    is_draining: bool = False


@dataclass(frozen=True)
class ServedTask(Generic[M]):
    """A task as it is served.

    Attributes:
        models: Keeps the version that answers.
        calls: The queue before it.
    """

    models: ModelSource[M]
    calls: ModelCalls

    def close(self) -> None:
        """Ends the watch over the alias, and drops the calls that wait."""
        self.models.stop()
        self.calls.close()

    def model(self) -> M:
        """The model that answers now, or RequestError `model_not_ready`."""
        model = self.models.current()
        if model is None:
            raise RequestError("model_not_ready", self.models.reason())
        return model

    def admit(self, request: Request) -> M:
        """The model that answers, if a call has room; asked before a request's body is read."""
        model = self.model()
        request.state.model_version = model.identity.version
        if not self.calls.has_room():
            raise RequestError("overloaded", "Try again in a moment.")
        return model


@dataclass(frozen=True)
class Service:
    """The parts of one application."""

    settings: Settings
    glyph: ServedTask[GlyphModel]
    document: ServedTask[DocumentModel]
    line: ServedTask[LineModel]
    metrics: Metrics
    feedback: FeedbackStore
    uploader: FeedbackUploader
    predictions: PredictionLog | None = None
    lifetime: Lifetime = field(default_factory=Lifetime)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Keeps what has threads of its own at work while it is entered."""
        for task in self.tasks.values():
            task.models.start()
        self.uploader.start()
        with self.predictions or nullcontext():
            yield
        for task in self.tasks.values():
            task.close()
        self.uploader.stop()

    @property
    def tasks(self) -> Mapping[str, ServedTask[Any]]:
        """Those that are switched on, by name, in the order of the settings."""
        known: dict[str, ServedTask[Any]] = {
            "glyph": self.glyph,
            "document": self.document,
            "line": self.line,
        }
        return {name: known[name] for name in self.settings.tasks}

    def task(self, name: str | None = None) -> ServedTask[Any]:
        """A task that is switched on; without a name, the first of them.

        Raises:
            RequestError: `not_found` if it is not.
        """
        tasks = self.tasks
        if name is None:
            return next(iter(tasks.values()))
        if name not in tasks:
            raise RequestError("not_found", "BUKVA_TASKS says which tasks are served here.")
        return tasks[name]

    def note(self, recognition: Recognition, model_version: str) -> None:
        """Counts and logs what was read in an image of the current request."""
        self.metrics.count_symbol(recognition, model_version)
        if self.predictions:
            self.predictions.note(recognition, model_version)

    def refuse_when_draining(self) -> None:
        """Raises RequestError `draining` when no further requests should be sent here."""
        if self.lifetime.is_draining:
            raise RequestError("draining", "Send requests to another instance.")


def _serve(settings: Settings, kind: type[M]) -> ServedTask[M]:
    calls = ModelCalls(
        settings.model_threads,
        settings.max_in_flight,
        settings.deadline_s,
        settings.max_gathered_images,
    )
    return ServedTask(ModelSource(settings, kind), calls)


def make_service(settings: Settings) -> Service:
    """Puts the parts together as the settings want them."""
    metrics = Metrics()
    feedback = FeedbackStore(
        settings.feedback_folder,
        settings.max_feedback,
        settings.max_feedback_bytes,
        is_delivered=bool(settings.feedback_url),
    )
    metrics.watch_feedback("waiting", feedback.count_waiting)
    metrics.watch_feedback("dead", feedback.count_dead)
    metrics.watch_feedback_bytes(feedback.count_bytes)
    predictions = None
    if settings.prediction_log:
        predictions = PredictionLog(
            settings.prediction_log,
            settings.prediction_log_max_bytes,
            settings.prediction_log_files,
            metrics.count_lost_note,
        )
    return Service(
        settings,
        _serve(settings, GlyphModel),
        _serve(settings.for_reader("document"), DocumentModel),
        _serve(settings.for_reader("line"), LineModel),
        metrics,
        feedback,
        FeedbackUploader(feedback, settings.feedback_url, settings.feedback_retry_s, metrics),
        predictions,
    )


async def _get_service(request: Request) -> Service:  # a plain function would run in a thread
    service: Service = request.app.state.service
    return service


ServiceDep = Annotated[Service, Depends(_get_service)]
