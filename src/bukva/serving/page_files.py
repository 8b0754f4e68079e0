"""The page to draw on, and the one about the model: files that load nothing from elsewhere."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles

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


def add_page(app: FastAPI) -> None:
    """Serves the pages at `/` and `/about`, and what they are made of below `/page`."""
    add_document(app, "/", PAGE / "index.html")
    add_document(app, "/about", PAGE / "about.html")
    add_files(app, "/page", PAGE)


def add_document(app: FastAPI, path: str, file: Path) -> None:
    """Serves one HTML file at an address."""
    app.add_api_route(path, _show(file), methods=["GET", "HEAD"], include_in_schema=False)


def add_files(app: FastAPI, path: str, folder: Path) -> None:
    """Serves scripts, styles and pictures below an address."""
    app.mount(path, _PageFiles(directory=folder))


def _show(file: Path) -> Callable[[], Awaitable[FileResponse]]:
    async def show_page() -> FileResponse:
        return FileResponse(file, headers=HEADERS)

    return show_page
