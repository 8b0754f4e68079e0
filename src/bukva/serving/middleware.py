"""What is around every request: its id, headers and log line, bounds on its size, and a short way.

Plain ASGI, from the outermost to the innermost: `Admission`, `RequestContext`, `BodyLimit`,
`ShortWay`.
"""

import inspect
import re
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from fastapi import APIRouter, Request, params
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bukva.errors import RequestError
from bukva.serving.logs import CurrentRequest, current_request, log_event, log_failure, new_id
from bukva.serving.metrics import Metrics
from bukva.serving.problems import KINDS, not_as_described, problem_response
from bukva.serving.service import Lifetime, ModelCalls

# A response that has one of these of its own, as the page has, keeps it.
SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_RAW_HEADERS = [(name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]
# A proxy's id is kept, so that its log and ours can be joined; anything odd is not.
_FOREIGN_ID = re.compile(rb"[A-Za-z0-9._-]{8,64}")
# The code that nginx logs when the client went away before the answer.
_CLIENT_LEFT = 499


class RequestContext:
    """Around all else: gives each request an id, and lets no exception out."""

    def __init__(self, app: ASGIApp, metrics: Metrics, lifetime: Lifetime) -> None:
        self.app = app
        self.metrics = metrics
        self.lifetime = lifetime

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = CurrentRequest(_choose_id(scope), time.perf_counter())
        current_request.set(request)
        scope.setdefault("state", {})["request_id"] = request.id
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message["headers"]
                given = {name for name, _ in headers}
                headers.extend(header for header in _RAW_HEADERS if header[0] not in given)
                headers.append((b"x-request-id", request.id.encode()))
                if self.lifetime.is_draining:
                    # Else the next request on this connection may meet its end.
                    headers.append((b"connection", b"close"))
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        except ClientDisconnect:
            status = _CLIENT_LEFT
        except Exception as error:
            log_failure("request_failed", error)
            if status == 0:
                failed = RequestError("internal_error", "It was logged under the request id.")
                response = problem_response(failed, request.id)
                await response(scope, receive, send_with_headers)
        finally:
            self._note(scope, status, request.ms)

    def _note(self, scope: Scope, status: int, ms: float) -> None:
        # The route's own path, never the caller's: that one may hold anything.
        route = getattr(scope.get("route"), "path", None)
        self.metrics.count_request(route, status, ms / 1000)
        log_event(
            "request",
            method=scope["method"],
            route=route,
            status=status,
            ms=ms,
            model_version=scope["state"].get("model_version"),
            key=scope["state"].get("key_name"),
        )


def _choose_id(scope: Scope) -> str:
    foreign = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
    return foreign.decode() if _FOREIGN_ID.fullmatch(foreign) else new_id()


_SMALL_BODY_BYTES = 1_048_576


class BodyLimit:
    """Refuses bodies of more than `max_body_bytes`, announced or counted as they come.

    What bodies hold beyond their first MiB comes out of one room for all: large ones, of which a
    few would fill the memory, never keep a drawing out.
    """

    def __init__(self, app: ASGIApp, max_body_bytes: int, room_bytes: int) -> None:
        self.app = app
        self.max_body_bytes = max_body_bytes
        self._room_bytes = room_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers 413 by itself, or passes the request on with its body counted."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif self._announces_too_much(scope):
            response = problem_response(self._refusal(), scope["state"]["request_id"])
            await response(scope, receive, send)
        else:
            await self._pass_on(scope, receive, send)

    def _refusal(self) -> RequestError:
        return RequestError("body_too_large", f"Expected at most {self.max_body_bytes} bytes.")

    def _announces_too_much(self, scope: Scope) -> bool:
        announced = [value for name, value in scope["headers"] if name == b"content-length"]
        return any(each.isdigit() and int(each) > self.max_body_bytes for each in announced)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        received_bytes = taken_bytes = 0

        async def receive_and_count() -> Message:
            nonlocal received_bytes, taken_bytes
            message = await receive()
            received_bytes += len(message.get("body", b""))
            if received_bytes > self.max_body_bytes:
                raise self._refusal()
            more_bytes = max(0, received_bytes - _SMALL_BODY_BYTES) - taken_bytes
            if more_bytes > self._room_bytes:
                raise RequestError("overloaded", "Try again in a moment, or send a smaller image.")
            self._room_bytes -= more_bytes
            taken_bytes += more_bytes
            return message

        try:
            await self.app(scope, receive_and_count, send)
        finally:
            self._room_bytes += taken_bytes


_CODE = "overloaded"
_DETAIL = "Try again in a moment."
_ID = b"0" * 32
_LOG_EVERY_S = 1.0


class Admission:
    """Stands around the application, before the routes that ask the model."""

    def __init__(
        self, app: ASGIApp, calls: ModelCalls, metrics: Metrics, paths: frozenset[str]
    ) -> None:
        self.app = app
        self._calls = calls
        self._count = metrics.refusal_counter(KINDS[_CODE].status)
        self._paths = paths
        refusal = problem_response(RequestError(_CODE, _DETAIL), _ID.decode())
        self._body = bytes(refusal.body)
        self._headers = refusal.raw_headers + _RAW_HEADERS
        self._refused = 0
        self._logged_s = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers 503 by itself, or passes the request on."""
        if scope["type"] != "http" or scope["path"] not in self._paths or self._calls.has_room():
            await self.app(scope, receive, send)
            return
        request_id = new_id().encode()
        headers = [*self._headers, (b"x-request-id", request_id)]
        body = self._body.replace(_ID, request_id)
        await send(
            {"type": "http.response.start", "status": KINDS[_CODE].status, "headers": headers}
        )
        await send({"type": "http.response.body", "body": body})
        self._note(scope["path"])

    def _note(self, path: str) -> None:
        self._count(path)
        self._refused += 1
        now_s = time.monotonic()
        if now_s - self._logged_s >= _LOG_EVERY_S:
            log_event(_CODE, refused=self._refused)
            self._refused, self._logged_s = 0, now_s


Gate = Callable[[Request], None]
"""What a request has to pass before its body is read; raises RequestError if it may not."""


@dataclass(frozen=True)
class _Address:
    """A route, with the name and the type of each parameter in the address by its alias."""

    path: str
    answer: Callable[..., Awaitable[BaseModel]]
    queries: Mapping[str, tuple[str, TypeAdapter[Any]]]

    def read_query(self, request: Request) -> dict[str, Any]:
        given = request.query_params
        try:
            return {
                name: wanted.validate_python(given[alias])
                for alias, (name, wanted) in self.queries.items()
                if alias in given
            }
        except ValidationError:
            raise not_as_described() from None


class ShortWay:
    """Stands before FastAPI's routing.

    Args:
        app: What answers all else.
        router: With the routes that are answered here: POST, a function of request and service.
        service: What they work with.
        gates: What each request has to pass.
    """

    def __init__(
        self, app: ASGIApp, router: APIRouter, service: object, gates: Sequence[Gate]
    ) -> None:
        self.app = app
        self._service = service
        self._gates = gates
        self._addresses = {
            route.path: _Address(route.path, route.endpoint, dict(_queries_of(route.endpoint)))
            for route in router.routes
            if isinstance(route, APIRoute)
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request of the routes, or pass it on."""
        address = self._addresses.get(scope.get("path", ""))
        if address is None or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        scope["route"] = address
        request = Request(scope, receive)
        try:
            response = await self._answer(request, address)
        except RequestError as error:
            response = problem_response(error, request.state.request_id)
        await response(scope, receive, send)

    async def _answer(self, request: Request, address: _Address) -> Response:
        for gate in self._gates:
            gate(request)
        asked = address.read_query(request) if request.scope["query_string"] else {}
        answer = await address.answer(request, self._service, **asked)
        return Response(answer.model_dump_json(), media_type="application/json")


def _queries_of(endpoint: Callable[..., Any]) -> Iterator[tuple[str, tuple[str, TypeAdapter[Any]]]]:
    for name, parameter in inspect.signature(endpoint).parameters.items():
        wanted, *notes = get_args(parameter.annotation) or (parameter.annotation,)
        for note in notes:
            if isinstance(note, params.Query):
                yield note.alias or name, (name, TypeAdapter(wanted))
