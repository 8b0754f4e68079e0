"""The server: uvicorn as the settings want it, with bounds on a request's head, which it lacks."""

import asyncio
import time
from types import FrameType

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bukva.serving.logs import log_event
from bukva.serving.middleware import Admission
from bukva.serving.recognition import PATHS
from bukva.serving.service import Service
from bukva.serving.settings import Settings

MAX_HEAD_BYTES = 65_536

_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


def bound_http(header_timeout_s: float) -> type[HttpToolsProtocol]:
    """Return the protocol for uvicorn's `http`, with this time for the head of a request."""
    return type("BoundedHttp", (_BoundedHttp,), {"header_timeout_s": header_timeout_s})


class _BoundedHttp(HttpToolsProtocol):
    header_timeout_s: float

    _waiting: asyncio.TimerHandle | None = None
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._waiting is not None:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._stop_waiting()
                self.send_400_response(f"Expected a head of at most {MAX_HEAD_BYTES} bytes.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._waiting is None:
            self._wait_for_head()

    def on_headers_complete(self) -> None:
        self._stop_waiting()
        # Whatever is raised here, uvicorn answers with 400.
        if sum(len(name) + len(value) for name, value in self.headers) > MAX_HEAD_BYTES:
            raise ValueError("the head is too long")
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts != 1 and self.parser.get_http_version() == "1.1":
            raise ValueError("RFC 9112, section 3.2: exactly one Host")
        super().on_headers_complete()

    def _wait_for_head(self) -> None:
        self._head_bytes = 0
        self._waiting = self.loop.call_later(self.header_timeout_s, self._give_up)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _give_up(self) -> None:
        self._waiting = None
        if self._head_bytes:
            self.transport.write(_TOO_SLOW)
        self.transport.close()


class Server(uvicorn.Server):
    """Serves until SIGTERM or SIGINT.

    Then /readyz answers 503 at once, for `drain_delay_s` all else goes on, so that whoever
    balances the load can look and turn away; and only then no new connection is taken, and
    what has begun is finished. A second SIGINT ends it sooner.
    """

    def __init__(self, app: FastAPI, settings: Settings) -> None:
        service: Service = app.state.service
        # Around the application, not in it: even FastAPI's own layers cost a refusal too much.
        admission = Admission(app, service.glyph.calls, service.metrics, PATHS)
        super().__init__(_configure(admission, settings))
        self._lifetime = service.lifetime
        self._drain_delay_s = settings.drain_delay_s

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Called by uvicorn on SIGTERM and SIGINT."""
        self._lifetime.is_draining = True
        super().handle_exit(sig, frame)

    async def main_loop(self) -> None:
        """Called by uvicorn; when it returns, connections are closed."""
        await super().main_loop()
        log_event("draining", delay_s=self._drain_delay_s)
        end_s = time.monotonic() + self._drain_delay_s
        while time.monotonic() < end_s and not self.force_exit:
            await asyncio.sleep(0.05)


def _configure(app: ASGIApp, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",  # asyncio's own costs 40 ms a request on shared sockets
        http=bound_http(settings.header_timeout_s),
        log_config=None,
        access_log=False,  # the service writes its own line for each request
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=[str(network) for network in settings.trusted_proxies],
        limit_concurrency=settings.max_connections,
        timeout_keep_alive=settings.keep_alive_s,
        timeout_graceful_shutdown=settings.drain_timeout_s,
    )
