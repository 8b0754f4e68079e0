"""Refuses what the model has no room for, before anything else is done with it.

Under four times the load that the service can take, three of four requests are refused: what that
costs is taken from the fourth. So there is no routing, no log line for each, no reading of the
body; the answer is made beforehand, but for its id.
"""

import json
import time

from starlette.types import ASGIApp, Receive, Scope, Send

from bukva.serving.current_request import new_id
from bukva.serving.envelope import SECURITY_HEADERS
from bukva.serving.logs import log_event
from bukva.serving.metrics import Metrics
from bukva.serving.model.calls import ModelCalls
from bukva.serving.problems import KINDS, make_problem

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
        self._body = json.dumps(make_problem(_CODE, _DETAIL, _ID.decode()).model_dump()).encode()
        self._headers = _make_headers(len(self._body))
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


def _make_headers(length: int) -> list[tuple[bytes, bytes]]:
    headers = {
        "Content-Type": "application/problem+json",
        "Content-Length": str(length),
        "Retry-After": str(KINDS[_CODE].retry_after_s),
        **SECURITY_HEADERS,
    }
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]
