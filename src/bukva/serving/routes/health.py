"""The addresses that say how the service is.

Those below /v2 are the health and metadata routes of the Open Inference Protocol (version 2, REST),
for tools that look there.
"""

import platform
from importlib import metadata

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse
from starlette.responses import Response

from bukva import __version__
from bukva.errors import RequestError
from bukva.serving.metrics import CONTENT_TYPE
from bukva.serving.problems import describe_problems
from bukva.serving.schemas import Live, ModelMetadata, Ready, ServerMetadata, Version
from bukva.serving.service import ServiceDep

router = APIRouter(tags=["health"])


@router.get("/v2/health/live", summary="Is the process alive (OIP)")
@router.get("/livez", summary="Is the process alive")
async def livez() -> Live:
    """Answers 200 as long as the process can answer at all."""
    return Live()


@router.get(
    "/v2/health/ready",
    summary="Can it recognise (OIP)",
    responses=describe_problems("model_not_ready", "draining"),
)
@router.get(
    "/readyz",
    summary="Can it recognise",
    responses=describe_problems("model_not_ready", "draining"),
)
async def readyz(service: ServiceDep) -> Ready:
    """Answers 200 when a model is loaded, else 503 with the reason and what to do."""
    service.refuse_when_draining()
    return Ready(model=service.model().identity, warning=service.models.reason() or None)


@router.get("/version", summary="What runs here")
async def version(service: ServiceDep) -> Version:
    """The versions of the program, of Python and MLflow, and of the model."""
    model = service.models.current()
    return Version(
        bukva=__version__,
        python=platform.python_version(),
        mlflow=metadata.version("mlflow"),
        model=model.identity if model else None,
    )


@router.get(
    "/metrics",
    summary="Counters for Prometheus",
    response_class=PlainTextResponse,
)
async def metrics(service: ServiceDep) -> Response:
    """Requests by route and status, their seconds; symbols, confidence and drift of the model."""
    if model := service.models.current():
        service.metrics.set_drift(model.drift.index(), service.settings.drift_alarm)
    return Response(service.metrics.write(), media_type=CONTENT_TYPE)


@router.get("/v2", summary="What serves (OIP)")
async def server_metadata() -> ServerMetadata:
    """Name and version of the program."""
    return ServerMetadata(version=__version__)


@router.get(
    "/v2/models/{name}/ready",
    summary="Is the model ready (OIP)",
    responses=describe_problems("model_not_ready", "not_found"),
)
@router.get(
    "/v2/models/{name}",
    summary="What is served (OIP)",
    responses=describe_problems("model_not_ready", "not_found"),
)
async def model_metadata(name: str, service: ServiceDep) -> ModelMetadata:
    """The model and its version; `/v1/predict` takes images, there is no tensor route."""
    if name != service.settings.model_name:
        raise RequestError("not_found", "GET /version names the model that is served.")
    return ModelMetadata(name=name, versions=[service.model().identity.version])
