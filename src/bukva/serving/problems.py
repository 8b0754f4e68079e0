"""Every problem that the service reports: one table, one shape (RFC 9457 problem JSON).

A problem never holds what the caller sent, and never a stack trace.
"""

from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from bukva.errors import RequestError
from bukva.serving.schemas import Problem


@dataclass(frozen=True)
class Kind:
    """One row of the table of problems."""

    status: int
    title: str
    retry_after_s: int | None = None


KINDS = {
    "malformed_json": Kind(400, "The body is not valid JSON"),
    "malformed_multipart": Kind(400, "The body is not valid multipart form data"),
    "invalid_request": Kind(400, "The request does not have the expected fields"),
    "invalid_base64": Kind(400, "The base64 text is not valid"),
    "missing_image": Kind(400, "The image holds no bytes"),
    "invalid_key": Kind(400, "The Idempotency-Key is missing or not valid"),
    "refused": Kind(400, "The request is refused"),
    "unauthorized": Kind(401, "An API key is needed, and none that is known was sent"),
    "cross_site": Kind(403, "Another site's page may not ask for this"),
    "unknown_feedback": Kind(404, "There is no such correction"),
    "not_found": Kind(404, "There is nothing at this address"),
    "method_not_allowed": Kind(405, "This address does not take this method"),
    "body_timeout": Kind(408, "The body came too slowly"),
    "key_reused": Kind(409, "The Idempotency-Key came with another correction before"),
    "body_too_large": Kind(413, "The body of the request is too large"),
    "file_too_large": Kind(413, "The image file is too large"),
    "unsupported_media_type": Kind(415, "The content type is not supported"),
    "unsupported_format": Kind(415, "The image format is not supported"),
    "undecodable_image": Kind(422, "The image cannot be decoded"),
    "image_too_large": Kind(422, "The image has too many pixels"),
    "image_too_small": Kind(422, "The image has too few pixels"),
    "encrypted_document": Kind(422, "The document asks for a password"),
    "page_missing": Kind(422, "The document has no such page"),
    "empty_image": Kind(422, "The image holds no ink"),
    "too_dark": Kind(422, "The image is too dark"),
    "several_symbols": Kind(422, "The image holds several symbols"),
    "rate_limited": Kind(429, "Too many requests of one caller", retry_after_s=1),
    "internal_error": Kind(500, "The service made a mistake"),
    "method_unavailable": Kind(501, "The model cannot be asked that way"),
    "model_error": Kind(503, "The model failed on this request", retry_after_s=1),
    "model_not_ready": Kind(503, "No model is loaded", retry_after_s=5),
    "feedback_unavailable": Kind(503, "Corrections cannot be stored", retry_after_s=30),
    "draining": Kind(503, "The service is about to end", retry_after_s=5),
    "overloaded": Kind(503, "Too many requests are waiting", retry_after_s=1),
    "deadline_passed": Kind(504, "The model did not answer in time"),
    "feedback_full": Kind(507, "No further corrections are stored"),
}
IMAGE_PROBLEMS = (
    "unsupported_format", "undecodable_image", "image_too_large", "empty_image", "too_dark",
    "several_symbols",
)  # fmt: skip

DOCUMENT_PROBLEMS = (
    "unsupported_format", "undecodable_image", "encrypted_document", "page_missing",
    "image_too_large", "image_too_small", "too_dark",
)  # fmt: skip

LINE_PROBLEMS = (
    "unsupported_format", "undecodable_image", "image_too_large", "image_too_small", "too_dark",
    "method_unavailable",
)  # fmt: skip

_CODES_BY_STATUS = {404: "not_found", 405: "method_not_allowed"}


def problem_response(
    error: RequestError, request_id: str, *, is_inference: bool = False
) -> JSONResponse:
    """The answer that reports an error, also as the Open Inference Protocol does if asked so."""
    kind = KINDS[error.code]
    problem = Problem(
        type=f"urn:bukva:problem:{error.code}",
        title=kind.title,
        status=kind.status,
        detail=error.detail,
        code=error.code,
        request_id=request_id,
        error=error.detail if is_inference else None,
    )
    headers = {"WWW-Authenticate": "Bearer"} if kind.status == 401 else {}
    if wait_s := error.retry_after_s or kind.retry_after_s:
        headers["Retry-After"] = str(wait_s)
    return JSONResponse(
        problem.model_dump(exclude_none=True),
        kind.status,
        headers,
        media_type="application/problem+json",
    )


def not_as_described() -> RequestError:
    """What is raised where a parameter of an address is not of its type."""
    return RequestError("invalid_request", "Expected a request as /openapi.json describes it.")


def describe_problems(*codes: str) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI entries of a route that may report `codes`; codes of one status share one."""
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(KINDS[code].status, []).append(code)
    return {
        status: {
            "description": "; ".join(f"`{code}`: {KINDS[code].title}" for code in group),
            "content": {"application/problem+json": {"schema": Problem.model_json_schema()}},
        }
        for status, group in by_status.items()
    }


async def _on_request_error(request: Request, error: RequestError) -> JSONResponse:
    is_inference = request.url.path.startswith("/v2/")
    return problem_response(error, request.state.request_id, is_inference=is_inference)


async def _on_http_exception(request: Request, error: HTTPException) -> JSONResponse:
    code = _CODES_BY_STATUS.get(error.status_code, "refused")
    reported = RequestError(code, "/openapi.json lists the addresses.")
    response = problem_response(reported, request.state.request_id)
    response.headers.update(error.headers or {})
    return response


async def _on_validation_error(request: Request, _: RequestValidationError) -> JSONResponse:
    # FastAPI's own handler echoes the input, and answers 500 when that holds a NaN.
    return problem_response(not_as_described(), request.state.request_id)


def install_handlers(app: FastAPI) -> None:
    """Makes `app` report each of its exceptions as a problem."""
    app.exception_handler(RequestError)(_on_request_error)
    app.exception_handler(HTTPException)(_on_http_exception)
    app.exception_handler(RequestValidationError)(_on_validation_error)
