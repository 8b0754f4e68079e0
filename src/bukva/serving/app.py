"""The application: settings and a source of models in, an ASGI app out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from bukva import __version__
from bukva.serving import feedback_routes, health_routes, model_routes, predict_routes
from bukva.serving.envelope import Envelope
from bukva.serving.feedback import FeedbackStore
from bukva.serving.feedback_upload import FeedbackUploader
from bukva.serving.limits import BodyLimit
from bukva.serving.metrics import Metrics
from bukva.serving.model_calls import ModelCalls
from bukva.serving.model_source import ModelSource
from bukva.serving.page_files import add_page
from bukva.serving.problems import install_handlers
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

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        models.start()
        uploader.start()
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
    metrics = Metrics()
    feedback = FeedbackStore(
        settings.feedback_folder, settings.max_feedback, is_delivered=bool(settings.feedback_url)
    )
    metrics.watch_feedback("waiting", lambda: feedback.waiting_count.value)
    metrics.watch_feedback("dead", lambda: feedback.dead_count.value)
    uploader = FeedbackUploader(feedback, settings.feedback_url, settings.feedback_retry_s, metrics)
    app.state.service = Service(settings, models, calls, metrics, feedback)
    for routes in (predict_routes, model_routes, feedback_routes, health_routes):
        app.include_router(routes.router)
    add_page(app)
    install_handlers(app)
    # The last one added is the outermost.
    app.add_middleware(BodyLimit, max_body_bytes=settings.max_body_bytes)
    app.add_middleware(Envelope, metrics=metrics)
    return app
