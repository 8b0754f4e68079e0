"""The limit on the size of a request, as plain ASGI: it holds before any parser starts."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bukva.errors import RequestError
from bukva.serving.problems import problem_response


class BodyLimit:
    """Refuses bodies of more than `max_body_bytes`, announced or counted as they come."""

    def __init__(self, app: ASGIApp, max_body_bytes: int) -> None:
        self.app = app
        self.max_body_bytes = max_body_bytes
        self.detail = f"Expected at most {max_body_bytes} bytes."

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers 413 by itself, or passes the request on with its body counted."""
        if scope["type"] == "http" and self._announces_too_much(scope):
            request_id = scope["state"]["request_id"]
            response = problem_response("body_too_large", self.detail, request_id)
            await response(scope, receive, send)
        else:
            await self.app(scope, self._counted(receive), send)

    def _announces_too_much(self, scope: Scope) -> bool:
        announced = Headers(scope=scope).get("content-length", "0")
        return announced.isdecimal() and int(announced) > self.max_body_bytes

    def _counted(self, receive: Receive) -> Receive:
        received_bytes = 0

        async def receive_and_count() -> Message:
            nonlocal received_bytes
            message = await receive()
            received_bytes += len(message.get("body", b""))
            if received_bytes > self.max_body_bytes:
                raise RequestError("body_too_large", self.detail)
            return message

        return receive_and_count
