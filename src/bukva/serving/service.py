"""What the routes work with."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from bukva.errors import RequestError
from bukva.serving.feedback import FeedbackStore
from bukva.serving.loaded_model import LoadedModel
from bukva.serving.metrics import Metrics
from bukva.serving.model_calls import ModelCalls
from bukva.serving.model_source import ModelSource
from bukva.serving.settings import Settings


@dataclass(frozen=True)
class Service:
    """The parts of one application."""

    settings: Settings
    models: ModelSource
    calls: ModelCalls
    metrics: Metrics
    feedback: FeedbackStore

    def model(self) -> LoadedModel:
        """The model that answers now, or RequestError `model_not_ready`."""
        model = self.models.current()
        if model is None:
            raise RequestError("model_not_ready", self.models.reason())
        return model


def _get_service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


ServiceDep = Annotated[Service, Depends(_get_service)]
