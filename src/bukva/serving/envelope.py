"""What is around every answer: its id, the security headers, its line in the log."""

import re
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bukva.serving.current_request import CurrentRequest, current_request, new_id
from bukva.serving.logs import log_event, log_failure
from bukva.serving.metrics import Metrics
from bukva.serving.problems import problem_response
from bukva.serving.service import Lifetime

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
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request.id
                if self.lifetime.is_draining:
                    # Else the next request on this connection may meet its end.
                    headers["Connection"] = "close"
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        except ClientDisconnect:
            status = _CLIENT_LEFT
        except Exception as error:
            log_failure("request_failed", error)
            if status == 0:
                detail = "It was logged under the request id."
                response = problem_response("internal_error", detail, request.id)
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
    foreign = Headers(scope=scope).get("x-request-id", "")
    return foreign if _FOREIGN_ID.fullmatch(foreign) else new_id()
