"""The page of the review, and the four addresses that it asks.

It shows people's drawings to whoever can reach it, so it answers to this machine alone: it is bound
to 127.0.0.1, knows no other name of its own, and refuses what other sites' pages ask.
"""

import json
import threading
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import pandas as pd
from fastapi import Body, Depends, FastAPI, HTTPException, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.middleware.trustedhost import TrustedHostMiddleware

from bukva.datasets.feedback import DecisionsDataset
from bukva.serving.access import is_own_site
from bukva.serving.app import HEADERS, PAGE
from bukva.serving.middleware import SECURITY_HEADERS
from bukva.tasks.glyph.feedback.decisions import Decision, Symbol

HOST: Final = "127.0.0.1"
_MAX_BODY_BYTES: Final = 1024
_FILES: Final = Path(__file__).with_name("page")
# Nothing is kept by the browser, and the page loads nothing from elsewhere.
_HEADERS: Final = (
    HEADERS | SECURITY_HEADERS | {"Content-Security-Policy": HEADERS["Content-Security-Policy"]}
)


def create_app(review: pd.DataFrame, store: DecisionsDataset, reviewer: str) -> FastAPI:
    """Return the application for the drawings that were set aside, and one reviewer.

    Args:
        review: The table `feedback_review`.
        store: Where decisions are kept, each of them at once; those of other drawings stay in it.
        reviewer: Whose name decisions bear.
    """
    images = dict(zip(review["name"], review["image"], strict=True))
    drawings: list[dict[Any, Any]] = [
        row | {"alternatives": json.loads(row["alternatives"])}
        for row in review.drop(columns="image").replace({float("nan"): None}).to_dict("records")
    ]
    changing = threading.Lock()
    app = FastAPI(title="bukva: review", docs_url=None, redoc_url=None, openapi_url=None)

    def find(name: str) -> str:
        if name not in images:
            raise HTTPException(404, "It is not among those to review.")
        return name

    Name = Annotated[str, Depends(find)]

    @app.get("/")
    def show_page() -> FileResponse:
        return FileResponse(_FILES / "index.html")

    @app.get("/drawings")
    def list_drawings() -> list[dict[Any, Any]]:
        """Lists the drawings in the order of the table, decided or not."""
        decisions = store.load()
        return [row | {"decision": decisions.get(row["name"])} for row in drawings]

    @app.get("/drawings/{name}/image")
    def show_image(name: Name) -> Response:
        return Response(images[name], media_type="image/png")

    @app.put("/drawings/{name}/decision")
    def decide(name: Name, symbol: Annotated[Symbol | None, Body(embed=True)]) -> Decision:
        """Stores what a drawing shows, null if nothing is to be learnt from it.

        It takes the place of any former decision; the answer means that it is on the disk.
        """
        decision = Decision(symbol=symbol, reviewer=reviewer, decided=datetime.now(UTC))
        with changing:
            store.save(store.load() | {name: decision})
        return decision

    @app.delete("/drawings/{name}/decision", status_code=204)
    def take_back(name: Name) -> None:
        """Forgets a decision."""
        with changing:
            decisions = store.load()
            if decisions.pop(name, None):
                store.save(decisions)

    app.mount("/page", StaticFiles(directory=PAGE))
    app.mount("/review", StaticFiles(directory=_FILES))
    app.middleware("http")(_guard)
    # Else another name that leads to 127.0.0.1 would make another site's page one of ours.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])
    return app


async def _guard(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
    """Refuse other sites' pages and large bodies before anything reads them."""
    size = request.headers.get("content-length", "0")
    if request.url.path != "/" and not is_own_site(request.headers):
        response: Response = JSONResponse({"detail": "Open the page of the review itself."}, 403)
    elif "transfer-encoding" in request.headers or int(size) > _MAX_BODY_BYTES:
        response = JSONResponse({"detail": f"Expected at most {_MAX_BODY_BYTES} bytes."}, 413)
    else:
        response = await go_on(request)
    response.headers.update(_HEADERS)
    return response
