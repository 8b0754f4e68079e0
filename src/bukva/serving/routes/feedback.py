"""The addresses for corrections."""

import asyncio
import errno
import re
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from starlette.responses import Response

from bukva.errors import RequestError
from bukva.serving.gates.caller import pseudonym_of
from bukva.serving.gates.cross_site import refuse_other_sites
from bukva.serving.logs import log_failure
from bukva.serving.problems import describe_problems
from bukva.serving.request_body import describe_json, read_feedback
from bukva.serving.schemas import Feedback, FeedbackRequest
from bukva.serving.service import ServiceDep

router = APIRouter(prefix="/v1/feedback", tags=["feedback"])

_KEY = re.compile(r"[A-Za-z0-9._-]{16,64}")
# FastAPI would describe it as one that may be absent, or answer for it without its code.
_KEY_HEADER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "16 to 64 letters, digits, `.`, `_` or `-`, chosen at random",
    "schema": {"type": "string", "pattern": f"^{_KEY.pattern}$"},
}
_ID = re.compile(r"[0-9a-f]{32}")

OwnSite = Depends(refuse_other_sites)


@router.post(
    "",
    status_code=201,
    summary="Say what an image shows",
    dependencies=[OwnSite],
    responses=describe_problems(
        "malformed_json", "invalid_request", "invalid_base64", "missing_image", "invalid_key",
        "cross_site", "body_timeout", "key_reused", "body_too_large", "file_too_large",
        "unsupported_media_type", "unsupported_format", "undecodable_image", "image_too_large",
        "feedback_unavailable", "feedback_full",
    ),
    openapi_extra=describe_json(FeedbackRequest) | {"parameters": [_KEY_HEADER]},
)  # fmt: skip
async def give_feedback(
    request: Request,
    service: ServiceDep,
    idempotency_key: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> Feedback:
    """Keeps an image with what it shows, to learn from; the answer means that it is stored.

    Sent again with the same key, it is kept once.
    """
    if not _KEY.fullmatch(idempotency_key or ""):
        raise RequestError("invalid_key", "Expected 16 to 64 letters, digits, `.`, `_` or `-`.")
    form, image = await read_feedback(request, service.settings)
    model = service.models.current()
    identity = model.identity if model else None
    client = pseudonym_of(request, service.settings.feedback_client_key)
    try:
        name = await asyncio.to_thread(
            service.feedback.keep, str(idempotency_key), form, image, identity, client
        )
    except OSError as error:
        log_failure("feedback_not_stored", error)
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        code = "feedback_full" if is_full else "feedback_unavailable"
        raise RequestError(code, "Nothing was stored.") from error
    return Feedback(id=name)


@router.delete(
    "/{feedback_id}",
    status_code=204,
    summary="Delete what was given",
    dependencies=[OwnSite],
    responses=describe_problems("unknown_feedback", "cross_site", "feedback_unavailable"),
)
async def delete_feedback(feedback_id: str, service: ServiceDep) -> Response:
    """Deletes a correction and its image; whoever has its id may."""
    if not _ID.fullmatch(feedback_id):
        raise RequestError("unknown_feedback", "Expected an id as POST /v1/feedback answers.")
    try:
        await asyncio.to_thread(service.feedback.delete, feedback_id)
    except OSError as error:
        log_failure("feedback_not_deleted", error)
        raise RequestError("feedback_unavailable", "Nothing was deleted.") from error
    return Response(status_code=204)
