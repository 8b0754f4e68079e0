"""The application: settings in, an ASGI app with its pages out."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from fastapi import Depends, FastAPI, Request
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles

from bukva import __version__
from bukva.serving.access import KEY_SCHEMES, KeyGate, RateLimit
from bukva.serving.documents import router as documents_router
from bukva.serving.feedback_routes import feedback_router, line_feedback_router
from bukva.serving.inference import infer_router
from bukva.serving.inference import router as metadata_router
from bukva.serving.lines import router as lines_router
from bukva.serving.middleware import BodyLimit, Gate, RequestContext, ShortWay
from bukva.serving.problems import describe_problems, install_handlers
from bukva.serving.recognition import router as recognition_router
from bukva.serving.routes import health_router, model_router
from bukva.serving.service import make_service
from bukva.serving.settings import Settings

PAGE: Final = Path(__file__).with_name("page")
HEADERS: Final = {
    # Kept, and asked for again at every visit: a new version of the service has a new page.
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}


class _PageFiles(StaticFiles):
    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers.update(HEADERS)
        return response


def _show(name: str) -> Callable[[], Awaitable[FileResponse]]:
    async def show_page() -> FileResponse:
        return FileResponse(PAGE / name, headers=HEADERS)

    return show_page


def create_app(settings: Settings) -> FastAPI:
    """Makes the application; it begins to load its models when it is started."""
    service = make_service(settings)

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
    gates, described = _make_gates(settings)
    if "glyph" in settings.tasks:
        app.include_router(recognition_router, **described)
        app.include_router(feedback_router, **described)
    if "document" in settings.tasks:
        app.include_router(documents_router, **described)
    if "line" in settings.tasks:
        app.include_router(lines_router, **described)
        app.include_router(line_feedback_router, **described)
    for router in (model_router, infer_router):
        app.include_router(router, **described)
    for router in (health_router, metadata_router):
        app.include_router(router)
    for path, name in _choose_pages(settings).items():
        app.add_api_route(path, _show(name), methods=["GET", "HEAD"], include_in_schema=False)
    app.mount("/page", _PageFiles(directory=PAGE))
    install_handlers(app)
    # The last one added is the outermost.
    if "glyph" in settings.tasks:
        app.add_middleware(ShortWay, router=recognition_router, service=service, gates=gates)
    app.add_middleware(BodyLimit, settings.max_body_bytes, settings.body_room_bytes)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Authorization", "X-API-Key", "Content-Type", "Idempotency-Key"],
            expose_headers=["X-Request-ID", "Retry-After"],
        )
    app.add_middleware(RequestContext, metrics=service.metrics, lifetime=service.lifetime)
    return app


def _choose_pages(settings: Settings) -> dict[str, str]:
    """The file at each address of a page; the first task has the front page."""
    pages = {"glyph": "index.html", "document": "documents.html", "line": "lines.html"}
    chosen = {"/": pages[settings.tasks[0]], "/about": "about.html"}
    for task in ("document", "line"):
        if task in settings.tasks:
            chosen[f"/{task}s"] = pages[task]
    return chosen


def _make_gates(settings: Settings) -> tuple[list[Gate], dict[str, Any]]:
    """What a request below /v1 has to pass before its body is read, and how routers say so."""
    gates: list[Gate] = []
    problems: list[str] = []
    schemes: list[Any] = []
    if settings.api_key_hashes:
        gates.append(KeyGate(settings.api_key_hashes))
        problems.append("unauthorized")
        schemes.extend(KEY_SCHEMES)
    if settings.rate_limit_per_minute:
        gates.append(RateLimit(settings.rate_limit_per_minute, settings.rate_limit_burst))
        problems.append("rate_limited")

    async def pass_gates(request: Request) -> None:
        for gate in gates:
            gate(request)

    dependencies = [Depends(each) for each in (*schemes, pass_gates)]
    return gates, {"dependencies": dependencies, "responses": describe_problems(*problems)}
