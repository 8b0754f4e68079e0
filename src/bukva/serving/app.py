"""The application: settings and a source of models in, an ASGI app out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Any

from fastapi import Depends, FastAPI
from starlette.middleware.cors import CORSMiddleware

from bukva import __version__
from bukva.serving import feedback_routes, health_routes, model_routes, predict_routes
from bukva.serving.access import KeyGate
from bukva.serving.envelope import Envelope
from bukva.serving.feedback import FeedbackStore
from bukva.serving.feedback_upload import FeedbackUploader
from bukva.serving.limits import BodyLimit
from bukva.serving.metrics import Metrics
from bukva.serving.model_calls import ModelCalls
from bukva.serving.model_source import ModelSource
from bukva.serving.page_files import add_page
from bukva.serving.prediction_log import make_prediction_log
from bukva.serving.problems import describe_problems, install_handlers
from bukva.serving.rate_limit import RateGate, RateLimit
from bukva.serving.service import Service
from bukva.serving.settings import Settings


def create_app(settings: Settings, model_source: ModelSource | None = None) -> FastAPI:
    """Makes the application; it begins to load the model when it is started.

    Args:
        settings: All that can be set.
        model_source: Where the model comes from; by default the registry in `settings`.
    """
    models = model_source or ModelSource(settings)
    calls = ModelCalls(
        settings.model_threads,
        settings.max_in_flight,
        settings.deadline_s,
        settings.max_gathered_images,
    )

    metrics = Metrics()
    predictions = make_prediction_log(settings, metrics.count_lost_note)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        models.start()
        uploader.start()
        with predictions or nullcontext():
            yield
        models.stop()
        uploader.stop()
        calls.close()

    # The pages that FastAPI makes for /docs and /redoc load scripts from elsewhere.
    app = FastAPI(
        title="bukva",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    feedback = FeedbackStore(
        settings.feedback_folder, settings.max_feedback, is_delivered=bool(settings.feedback_url)
    )
    metrics.watch_feedback("waiting", lambda: feedback.waiting_count.value)
    metrics.watch_feedback("dead", lambda: feedback.dead_count.value)
    uploader = FeedbackUploader(feedback, settings.feedback_url, settings.feedback_retry_s, metrics)
    service = Service(settings, models, calls, metrics, feedback, predictions)
    app.state.service = service
    gates, problems = _make_gates(settings)
    for routes in (predict_routes, model_routes, feedback_routes):
        app.include_router(
            routes.router, dependencies=gates, responses=describe_problems(*problems)
        )
    app.include_router(health_routes.router)
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
    app.add_middleware(Envelope, metrics=metrics, lifetime=service.lifetime)
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
