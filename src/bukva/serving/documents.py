"""The addresses that tell handwriting from print, and where on a page that can be seen."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from bukva.errors import RequestError
from bukva.serving.problems import DOCUMENT_PROBLEMS, describe_problems
from bukva.serving.reader_models import DocumentModel
from bukva.serving.reader_process import AskedReader, ReadDocument
from bukva.serving.request_body import describe_file, read_file
from bukva.serving.schemas import DocumentAnswer, DocumentPart
from bukva.serving.service import Service, ServiceDep
from bukva.tasks.document.answer import Method

router = APIRouter(tags=["documents"])

AskedPage = Annotated[int, Query(ge=1, description="which page of a TIFF or a PDF")]

_TYPES: Final = ("image/png", "image/jpeg", "image/webp", "image/tiff", "application/pdf")
_BODY: Final[dict[str, Any]] = {
    "requestBody": {"required": True, "content": describe_file(_TYPES, "With a file name.")}
}
_PROBLEMS: Final = describe_problems(
    "invalid_request", "malformed_multipart", "missing_image", "body_timeout", "body_too_large",
    "file_too_large", "unsupported_media_type", "model_error", "model_not_ready", "overloaded",
    "deadline_passed", *DOCUMENT_PROBLEMS,
)  # fmt: skip


@router.post(
    "/v1/documents",
    summary="Tell whether a page is handwritten or printed",
    responses=_PROBLEMS,
    openapi_extra=_BODY,
)
async def classify(request: Request, service: ServiceDep, page: AskedPage = 1) -> DocumentAnswer:
    """Says of a page and of each of its parts whether it is handwritten or printed."""
    model = service.document.admit(request)
    file = await read_file(request, service.settings, takes_pdf=True)
    asked = AskedReader(model.recogniser, {"number": page})
    [read] = await ask_documents([file], asked, model, service)
    return to_answer(read, model)


@router.post(
    "/v1/documents/explain",
    summary="Show where on a page that can be seen",
    response_class=Response,
    responses={200: {"content": {"image/png": {}}}, **_PROBLEMS},
    openapi_extra=_BODY,
)
async def explain(
    request: Request,
    service: ServiceDep,
    page: AskedPage = 1,
    method: Annotated[Method, Query(description="how to find that out")] = "grad_cam",
) -> Response:
    """Answers with a PNG file of the page: handwriting in vermillion, print in blue.

    `grad_cam` asks the network once, `occlusion` covers the page patch by patch and asks again:
    some two hundred times the work.
    """
    model = service.document.admit(request)
    file = await read_file(request, service.settings, takes_pdf=True)
    asked = AskedReader(model.recogniser, {"number": page, "method": method})
    [read] = await ask_documents([file], asked, model, service)
    to_answer(read, model)
    return Response(read.attached, media_type="image/png")


async def ask_documents(
    files: Sequence[bytes], asked: AskedReader[ReadDocument], model: DocumentModel, service: Service
) -> Sequence[ReadDocument]:
    """What is answered to each file, in their order, once it is counted."""
    found = await service.document.calls.predict(asked, files)
    for read in found:
        label = read.answer.label or "none"
        confidence, version = read.answer.confidence, model.identity.version
        service.metrics.count_read("document", label, confidence, version)
    return found


def to_answer(read: ReadDocument, model: DocumentModel) -> DocumentAnswer:
    """What goes over the wire.

    Raises:
        RequestError: If the page could not be used; carries the recogniser's code.
    """
    answer = read.answer
    if answer.error or answer.label is None:
        raise RequestError(answer.error or "model_error", answer.error_detail or "No answer.")
    return DocumentAnswer(
        label=answer.label,
        confidence=answer.confidence,
        parts=[DocumentPart(**part.model_dump()) for part in answer.parts],
        page=read.number,
        pages=read.count,
        width=read.width,
        height=read.height,
        model=model.identity,
    )
