"""The addresses of the service."""

import platform
from dataclasses import dataclass
from importlib import metadata
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from bukva import __version__
from bukva.errors import ModelError, RequestError
from bukva.serving.contract import read_row
from bukva.serving.index import render_index
from bukva.serving.logs import log_failure
from bukva.serving.model_calls import ModelCalls
from bukva.serving.model_source import LoadedModel, ModelSource
from bukva.serving.problems import KINDS, describe_problems
from bukva.serving.request_body import read_image
from bukva.serving.schemas import Live, Prediction, PredictRequest, Ready, Version
from bukva.serving.settings import Settings

router = APIRouter()


@dataclass(frozen=True)
class Service:
    """What the routes work with."""

    settings: Settings
    models: ModelSource
    calls: ModelCalls

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

# Routes choose between the two forms by themselves, so OpenAPI has to be told of them.
_PREDICT_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "additionalProperties": False,
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": "A PNG, JPEG or WebP file, with a file name.",
                        }
                    },
                }
            },
            "application/json": {"schema": PredictRequest.model_json_schema()},
        },
    }
}
_PREDICT_PROBLEMS = [
    code
    for code in KINDS
    if code not in ("refused", "not_found", "method_not_allowed", "internal_error")
]


@router.post(
    "/v1/predict",
    tags=["recognition"],
    summary="Recognise one symbol in an image",
    responses=describe_problems(*_PREDICT_PROBLEMS),
    openapi_extra=_PREDICT_BODY,
)
async def predict(request: Request, service: ServiceDep) -> Prediction:
    """Says which letter or digit the image shows, in which case, and how sure that is."""
    model = service.model()
    request.state.model_version = model.identity.version
    service.calls.refuse_when_full()  # before the body is read
    image = await read_image(request, service.settings)
    [row] = await service.calls.run(model.predict, [image])
    try:
        recognition = read_row(row, service.settings.top_k)
    except ModelError as error:
        log_failure("model_failed", error)
        raise RequestError("model_error", "It was logged under the request id.") from error
    return Prediction(**recognition.model_dump(), model=model.identity)


@router.get("/livez", tags=["health"], summary="Is the process alive")
async def livez() -> Live:
    """Answers 200 as long as the process can answer at all."""
    return Live()


@router.get(
    "/readyz",
    tags=["health"],
    summary="Can it recognise",
    responses=describe_problems("model_not_ready"),
)
async def readyz(service: ServiceDep) -> Ready:
    """Answers 200 when a model is loaded, else 503 with the reason and what to do."""
    return Ready(model=service.model().identity)


@router.get("/version", tags=["health"], summary="What runs here")
async def version(service: ServiceDep) -> Version:
    """The versions of the program, of Python and MLflow, and of the model."""
    model = service.models.current()
    return Version(
        bukva=__version__,
        python=platform.python_version(),
        mlflow=metadata.version("mlflow"),
        model=model.identity if model else None,
    )


@router.get("/", include_in_schema=False)
async def index(request: Request, service: ServiceDep) -> HTMLResponse:
    """A list of the addresses, for whoever opens the service in a browser."""
    address = f"http://{service.settings.host}:{service.settings.port}"
    return HTMLResponse(render_index(request.app.openapi(), address))
