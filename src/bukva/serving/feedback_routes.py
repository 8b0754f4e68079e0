"""Addresses for corrections: kept before they are acknowledged, deleted by who has the id."""

import asyncio
import errno
import re
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Request
from starlette.responses import Response

from bukva.errors import RequestError
from bukva.serving.access import pseudonym_of, refuse_other_sites
from bukva.serving.logs import log_failure
from bukva.serving.problems import describe_problems
from bukva.serving.request_body import describe_json, read_feedback
from bukva.serving.schemas import Feedback, FeedbackRequest, LineFeedbackRequest, PredictRequest
from bukva.serving.service import ServedTask, Service, ServiceDep

_KEY: Final = re.compile(r"[A-Za-z0-9._-]{16,64}")
# FastAPI would describe it as one that may be absent, or answer for it without its code.
_KEY_HEADER: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "16 to 64 letters, digits, `.`, `_` or `-`, chosen at random",
    "schema": {"type": "string", "pattern": f"^{_KEY.pattern}$"},
}
_ID: Final = re.compile(r"[0-9a-f]{32}")

IdempotencyKey = Annotated[str | None, Header(include_in_schema=False)]


def _describe(form: type[PredictRequest]) -> dict[str, Any]:
    """What FastAPI is told of an address that takes corrections."""
    problems = describe_problems(
        "malformed_json", "invalid_request", "invalid_base64", "missing_image", "invalid_key",
        "cross_site", "body_timeout", "key_reused", "body_too_large", "file_too_large",
        "unsupported_media_type", "unsupported_format", "undecodable_image", "image_too_large",
        "feedback_unavailable", "feedback_full",
    )  # fmt: skip
    return {
        "status_code": 201,
        "dependencies": [Depends(refuse_other_sites)],
        "responses": problems,
        "openapi_extra": describe_json(form) | {"parameters": [_KEY_HEADER]},
    }


_DELETION: Final[dict[str, Any]] = {
    "status_code": 204,
    "summary": "Delete what was given",
    "dependencies": [Depends(refuse_other_sites)],
    "responses": describe_problems("unknown_feedback", "cross_site", "feedback_unavailable"),
}

feedback_router = APIRouter(prefix="/v1/feedback", tags=["feedback"])
line_feedback_router = APIRouter(prefix="/v1/lines/feedback", tags=["feedback"])


@feedback_router.post("", summary="Say what an image shows", **_describe(FeedbackRequest))
async def give_feedback(
    request: Request, service: ServiceDep, idempotency_key: IdempotencyKey = None
) -> Feedback:
    """Keeps an image with what it shows, to learn from; the answer means that it is stored.

    Sent again with the same key, it is kept once.
    """
    return await _keep(request, idempotency_key, FeedbackRequest, service.glyph, service)


@line_feedback_router.post("", summary="Say what a line says", **_describe(LineFeedbackRequest))
async def give_line(
    request: Request, service: ServiceDep, idempotency_key: IdempotencyKey = None
) -> Feedback:
    """Keeps the image of a line with what it says, to learn from, as `/v1/feedback` keeps symbols.

    A PNG, JPEG or WebP file of one line.
    """
    return await _keep(request, idempotency_key, LineFeedbackRequest, service.line, service)


async def _keep(
    request: Request,
    key: str | None,
    kind: type[FeedbackRequest] | type[LineFeedbackRequest],
    task: ServedTask[Any],
    service: Service,
) -> Feedback:
    if not _KEY.fullmatch(key or ""):
        raise RequestError("invalid_key", "Expected 16 to 64 letters, digits, `.`, `_` or `-`.")
    form, image = await read_feedback(request, kind, service.settings)
    model = task.models.current()
    identity = model.identity if model else None
    client = pseudonym_of(request, service.settings.feedback_client_key)
    try:
        name = await asyncio.to_thread(
            service.feedback.keep, str(key), form, image, identity, client
        )
    except OSError as error:
        log_failure("feedback_not_stored", error)
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        code = "feedback_full" if is_full else "feedback_unavailable"
        raise RequestError(code, "Nothing was stored.") from error
    return Feedback(id=name)


@line_feedback_router.delete("/{feedback_id}", **_DELETION)
@feedback_router.delete("/{feedback_id}", **_DELETION)
async def delete_feedback(feedback_id: str, service: ServiceDep) -> Response:
    """Deletes a correction and its image; whoever has its id may."""
    if not _ID.fullmatch(feedback_id):
        raise RequestError("unknown_feedback", "Expected an id as the service answers.")
    try:
        await asyncio.to_thread(service.feedback.delete, feedback_id)
    except OSError as error:
        log_failure("feedback_not_deleted", error)
        raise RequestError("feedback_unavailable", "Nothing was deleted.") from error
    return Response(status_code=204)
