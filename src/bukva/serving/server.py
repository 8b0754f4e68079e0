"""The server: uvicorn as the settings want it, which says beforehand that it is about to end."""

import asyncio
import time
from types import FrameType

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from bukva.serving.gates.admission import Admission
from bukva.serving.gates.head_limit import bound_http
from bukva.serving.logs import log_event
from bukva.serving.routes.predict import PATHS
from bukva.serving.service import Service
from bukva.serving.settings import Settings


class Server(uvicorn.Server):
    """Serves until SIGTERM or SIGINT.

    Then /readyz answers 503 at once, for `drain_delay_s` all else goes on, so that whoever
    balances the load can look and turn away; and only then no new connection is taken, and
    what has begun is finished. A second SIGINT ends it sooner.
    """

    def __init__(self, app: FastAPI, settings: Settings) -> None:
        service = _service_of(app)
        # Around the application, not in it: even FastAPI's own layers cost a refusal too much.
        admission = Admission(app, service.calls, service.metrics, PATHS)
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


def _service_of(app: FastAPI) -> Service:
    service: Service = app.state.service
    return service


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
