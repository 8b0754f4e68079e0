"""The addresses that tell what the model is and how good it is."""

from fastapi import APIRouter
from starlette.responses import Response

from bukva.errors import RequestError
from bukva.serving.problems import describe_problems
from bukva.serving.schemas import ModelDescription
from bukva.serving.service import ServiceDep

router = APIRouter(tags=["model"])


@router.get("/v1/model", summary="What answers", responses=describe_problems("model_not_ready"))
async def describe_model(service: ServiceDep) -> ModelDescription:
    """The version, the digest of its files, its results, its card, and how its use drifts."""
    model = service.model()
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


@router.get(
    "/v1/model/figures/{name}",
    summary="A figure of its evaluation",
    response_class=Response,
    responses={
        200: {"content": {"image/png": {}}},
        **describe_problems("model_not_ready", "not_found"),
    },
)
async def show_figure(name: str, service: ServiceDep) -> Response:
    """A PNG file, such as the matrix of what is taken for what."""
    figure = service.model().dossier.figures.get(name)
    if figure is None:
        raise RequestError("not_found", "GET /v1/model names the figures.")
    return Response(figure, media_type="image/png")
