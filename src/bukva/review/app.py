"""The application of the review: the page, and the four addresses that it asks.

It shows people's drawings to whoever can reach it, so it answers to this machine alone: it is bound
to 127.0.0.1, knows no other name of its own, and refuses what other sites' pages ask.
"""

from pathlib import Path
from typing import Annotated, Final

from fastapi import APIRouter, Depends, FastAPI, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import Response

from bukva.charset import SYMBOLS
from bukva.data.feedback.decisions import Decision
from bukva.errors import RequestError
from bukva.review.desk import Desk, DrawingOnDesk
from bukva.serving.envelope import Envelope
from bukva.serving.gates.body_limit import BodyLimit
from bukva.serving.gates.cross_site import is_own_site
from bukva.serving.metrics import Metrics
from bukva.serving.page_files import PAGE, add_document, add_files
from bukva.serving.problems import install_handlers
from bukva.serving.service import Lifetime

HOST: Final = "127.0.0.1"
_MAX_BODY_BYTES: Final = 1024
_FILES: Final = Path(__file__).with_name("page")


class DecisionRequest(BaseModel):
    """What a drawing shows; null if nothing is to be learnt from it."""

    model_config = ConfigDict(extra="forbid")

    symbol: Annotated[str, Field(pattern=f"^[{SYMBOLS}]$")] | None


async def _refuse_other_sites(request: Request) -> None:
    if not is_own_site(request.headers):
        raise RequestError("cross_site", "Open the page of the review itself.")


async def _get_desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


DeskDep = Annotated[Desk, Depends(_get_desk)]
router = APIRouter(prefix="/drawings", dependencies=[Depends(_refuse_other_sites)])


@router.get("")
def list_drawings(desk: DeskDep) -> list[DrawingOnDesk]:
    """Lists the drawings, decided or not."""
    return desk.drawings()


@router.get("/{name}/image")
def show_image(name: str, desk: DeskDep) -> Response:
    """Gives the drawing itself."""
    return Response(desk.image(name), media_type="image/png")


@router.put("/{name}/decision")
def decide(name: str, asked: DecisionRequest, desk: DeskDep) -> Decision:
    """Stores a decision, in place of any former one; the answer means that it is on the disk."""
    return desk.decide(name, asked.symbol)


@router.delete("/{name}/decision", status_code=204)
def take_back(name: str, desk: DeskDep) -> Response:
    """Forgets a decision."""
    desk.take_back(name)
    return Response(status_code=204)


def create_app(desk: Desk) -> FastAPI:
    """Makes the application for the drawings on a desk."""
    app = FastAPI(title="bukva: review", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.desk = desk
    app.include_router(router)
    add_document(app, "/", _FILES / "index.html")
    add_files(app, "/page", PAGE)
    add_files(app, "/review", _FILES)
    install_handlers(app)
    app.add_middleware(BodyLimit, max_body_bytes=_MAX_BODY_BYTES)
    # Else another name that leads to 127.0.0.1 would make another site's page one of ours.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])
    app.add_middleware(Envelope, metrics=Metrics(), lifetime=Lifetime())
    return app
