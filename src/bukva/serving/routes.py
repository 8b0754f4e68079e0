"""The addresses that tell of the models, and how the service is.

Those below /v2 are the health routes of the Open Inference Protocol: `bukva.serving.inference`.
"""

import platform
from importlib import metadata
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from bukva import __version__
from bukva.errors import RequestError
from bukva.serving.problems import describe_problems
from bukva.serving.schemas import (
    Live,
    ModelDescription,
    Ready,
    Version,
)
from bukva.serving.service import ServiceDep
from bukva.serving.settings import TaskName

model_router = APIRouter(tags=["model"])
AskedTask = Annotated[
    TaskName | None, Query(description="whose model; without it, that of the first task")
]


@model_router.get(
    "/v1/model",
    summary="What answers",
    responses=describe_problems("invalid_request", "model_not_ready", "not_found"),
)
async def describe_model(service: ServiceDep, task: AskedTask = None) -> ModelDescription:
    """The version, the digest of its files, its results, its card, and how its use drifts."""
    model = service.task(task).model()
    return ModelDescription(
        model=model.identity,
        files_sha256=model.digest,
        is_signed=model.is_signed,
        loaded=model.loaded,
        results=dict(model.dossier.results),
        card=model.dossier.card,
        figures=list(model.dossier.figures),
        drift={name: round(value, 4) for name, value in model.drift.index().items()},
    )


@model_router.get(
    "/v1/model/figures/{name}",
    summary="A figure of its evaluation",
    response_class=Response,
    responses={
        200: {"content": {"image/png": {}}},
        **describe_problems("invalid_request", "model_not_ready", "not_found"),
    },
)
async def show_figure(name: str, service: ServiceDep, task: AskedTask = None) -> Response:
    """A PNG file, such as the matrix of what is taken for what."""
    figure = service.task(task).model().dossier.figures.get(name)
    if figure is None:
        raise RequestError("not_found", "GET /v1/model names the figures.")
    return Response(figure, media_type="image/png")


health_router = APIRouter(tags=["health"])


@health_router.get("/v2/health/live", summary="Is the process alive (OIP)")
@health_router.get("/livez", summary="Is the process alive")
async def livez() -> Live:
    """Answers 200 as long as the process can answer at all."""
    return Live()


@health_router.get(
    "/v2/health/ready",
    summary="Can it recognise (OIP)",
    responses=describe_problems("model_not_ready", "draining"),
)
@health_router.get(
    "/readyz",
    summary="Can it recognise",
    responses=describe_problems("model_not_ready", "draining"),
)
async def readyz(service: ServiceDep) -> Ready:
    """Answers 200 when the first task has a model, else 503 with the reason and what to do."""
    service.refuse_when_draining()
    first = service.task()
    return Ready(
        model=first.model().identity,
        warning=first.models.reason() or None,
        tasks={name: task.models.reason() or None for name, task in service.tasks.items()},
    )


@health_router.get("/version", summary="What runs here")
async def version(service: ServiceDep) -> Version:
    """The versions of the program, of Python and MLflow, and of the model of the first task."""
    models = {name: task.models.current() for name, task in service.tasks.items()}
    identities = {name: model and model.identity for name, model in models.items()}
    return Version(
        bukva=__version__,
        python=platform.python_version(),
        mlflow=metadata.version("mlflow"),
        model=identities[service.settings.tasks[0]],
        tasks=identities,
    )


@health_router.get(
    "/metrics",
    summary="Counters for Prometheus",
    response_class=PlainTextResponse,
)
async def metrics(service: ServiceDep) -> Response:
    """Requests by route and status, their seconds; symbols, confidence and drift of glyphs."""
    if model := service.glyph.models.current():
        service.metrics.set_drift(model.drift.index(), service.settings.drift_alarm)
    return Response(service.metrics.write(), media_type=CONTENT_TYPE_LATEST)
