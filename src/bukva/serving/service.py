"""What the routes work with."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from bukva.errors import RequestError
from bukva.serving.feedback.store import FeedbackStore
from bukva.serving.feedback.upload import FeedbackUploader
from bukva.serving.metrics import Metrics
from bukva.serving.model.calls import ModelCalls
from bukva.serving.model.loaded import LoadedModel
from bukva.serving.model.source import ModelSource
from bukva.serving.prediction_log import PredictionLog, make_prediction_log
from bukva.serving.schemas import Recognition
from bukva.serving.settings import Settings


@dataclass
class Lifetime:
    """Whether the process is about to end."""

    is_draining: bool = False


@dataclass(frozen=True)
class Service:
    """The parts of one application."""

    settings: Settings
    models: ModelSource
    calls: ModelCalls
    metrics: Metrics
    feedback: FeedbackStore
    uploader: FeedbackUploader
    predictions: PredictionLog | None = None
    lifetime: Lifetime = field(default_factory=Lifetime)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Keeps what has threads of its own at work while it is entered."""
        self.models.start()
        self.uploader.start()
        with self.predictions or nullcontext():
            yield
        self.models.stop()
        self.uploader.stop()
        self.calls.close()

    def model(self) -> LoadedModel:
        """The model that answers now, or RequestError `model_not_ready`."""
        model = self.models.current()
        if model is None:
            raise RequestError("model_not_ready", self.models.reason())
        return model

    def note(self, recognition: Recognition, model_version: str) -> None:
        """Counts and logs what was read in an image of the current request."""
        self.metrics.count_symbol(recognition, model_version)
        if self.predictions:
            self.predictions.note(recognition, model_version)

    def refuse_when_draining(self) -> None:
        """Raises RequestError `draining` when no further requests should be sent here."""
        if self.lifetime.is_draining:
            raise RequestError("draining", "Send requests to another instance.")


def make_service(settings: Settings, models: ModelSource) -> Service:
    """Puts the parts together as the settings want them."""
    metrics = Metrics()
    feedback = FeedbackStore(
        settings.feedback_folder, settings.max_feedback, is_delivered=bool(settings.feedback_url)
    )
    metrics.watch_feedback("waiting", lambda: feedback.waiting_count.value)
    metrics.watch_feedback("dead", lambda: feedback.dead_count.value)
    return Service(
        settings,
        models,
        ModelCalls(
            settings.model_threads,
            settings.max_in_flight,
            settings.deadline_s,
            settings.max_gathered_images,
        ),
        metrics,
        feedback,
        FeedbackUploader(feedback, settings.feedback_url, settings.feedback_retry_s, metrics),
        make_prediction_log(settings, metrics.count_lost_note),
    )


async def _get_service(request: Request) -> Service:  # a plain function would run in a thread
    service: Service = request.app.state.service
    return service


ServiceDep = Annotated[Service, Depends(_get_service)]
