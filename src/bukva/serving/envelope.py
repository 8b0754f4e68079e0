"""What is around every answer: its id, the security headers, its line in the log."""

import re
import time
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bukva.serving.logs import log_event, log_failure
from bukva.serving.metrics import Metrics
from bukva.serving.problems import problem_response

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
# A proxy's id is kept, so that its log and ours can be joined; anything odd is not.
_FOREIGN_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
# The code that nginx logs when the client went away before the answer.
_CLIENT_LEFT = 499


class Envelope:
    """The outermost layer: gives each request an id, and lets no exception out."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started_s = time.perf_counter()
        request_id = scope.setdefault("state", {})["request_id"] = _choose_id(scope)
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        except ClientDisconnect:
            status = _CLIENT_LEFT
        except Exception as error:
            log_failure("request_failed", error, id=request_id)
            if status == 0:
                detail = "It was logged under the request id."
                response = problem_response("internal_error", detail, request_id)
                await response(scope, receive, send_with_headers)
        finally:
            self._note(scope, status, time.perf_counter() - started_s)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        # The route's own path, never the caller's: that one may hold anything.
        route = getattr(scope.get("route"), "path", None)
        self.metrics.count_request(route, status, seconds)
        log_event(
            "request",
            id=scope["state"]["request_id"],
            method=scope["method"],
            route=route,
            status=status,
            ms=round(seconds * 1000, 2),
            model_version=scope["state"].get("model_version"),
        )


def _choose_id(scope: Scope) -> str:
    foreign = Headers(scope=scope).get("x-request-id", "")
    return foreign if _FOREIGN_ID.fullmatch(foreign) else uuid.uuid4().hex
