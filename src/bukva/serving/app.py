"""The application: settings and a source of models in, an ASGI app out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI
from starlette.middleware.cors import CORSMiddleware

from bukva import __version__
from bukva.serving.envelope import Envelope
from bukva.serving.gates.api_keys import KeyGate
from bukva.serving.gates.body_limit import BodyLimit
from bukva.serving.gates.rate_limit import RateGate, RateLimit
from bukva.serving.model.source import ModelSource
from bukva.serving.page_files import add_page
from bukva.serving.problems import describe_problems, install_handlers
from bukva.serving.routes import feedback, health, model, predict
from bukva.serving.service import make_service
from bukva.serving.settings import Settings


def create_app(settings: Settings, model_source: ModelSource | None = None) -> FastAPI:
    """Makes the application; it begins to load the model when it is started.

    Args:
        settings: All that can be set.
        model_source: Where the model comes from; by default the registry in `settings`.
    """
    service = make_service(settings, model_source or ModelSource(settings))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        with service.running():
            yield

    # The pages that FastAPI makes for /docs and /redoc load scripts from elsewhere.
    app = FastAPI(
        title="bukva",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.service = service
    gates, problems = _make_gates(settings)
    for routes in (predict, model, feedback):
        app.include_router(
            routes.router, dependencies=gates, responses=describe_problems(*problems)
        )
    app.include_router(health.router)
    add_page(app)
    install_handlers(app)
    # The last one added is the outermost.
    app.add_middleware(BodyLimit, max_body_bytes=settings.max_body_bytes)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Authorization", "X-API-Key", "Content-Type", "Idempotency-Key"],
            expose_headers=["X-Request-ID", "Retry-After"],
        )
    app.add_middleware(Envelope, metrics=service.metrics, lifetime=service.lifetime)
    return app


def _make_gates(settings: Settings) -> tuple[list[Any], list[str]]:
    """What a request below /v1 has to pass before its body is read, and the problems of it."""
    gates, problems = [], []
    if settings.api_key_hashes:
        gates.append(Depends(KeyGate(settings.api_key_hashes)))
        problems.append("unauthorized")
    if settings.rate_limit_per_minute:
        limit = RateLimit(settings.rate_limit_per_minute, settings.rate_limit_burst)
        gates.append(Depends(RateGate(limit)))
        problems.append("rate_limited")
    return gates, problems
