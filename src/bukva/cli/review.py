"""`bukva review`: the page on which doubtful corrections are decided; or Label Studio for it."""

import getpass
import json
import threading
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import click

from bukva.cli.options import ENV
from bukva.errors import CorpusMissingError

if TYPE_CHECKING:
    import pandas as pd
    from fastapi import FastAPI, Request
    from fastapi.responses import Response

    from bukva.datasets.feedback import DecisionsDataset

HOST: Final = "127.0.0.1"

_MAX_BODY_BYTES: Final = 1024
_FILES: Final = Path(__file__).with_name("review_page")
_FILE = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))


@click.group(invoke_without_command=True)
@ENV
@click.option("--port", default=8020, show_default=True, help="Port of 127.0.0.1.")
@click.option("--reviewer", help="Whose name decisions bear; by default the user's.")
@click.pass_context
def review(context: click.Context, env: str, port: int, reviewer: str | None) -> None:
    """Open the page on which doubtful corrections are decided."""
    if context.invoked_subcommand:
        return
    import uvicorn

    table, decisions = _open_review(env)
    app = create_app(table, decisions, reviewer or getpass.getuser())
    click.echo(f"{len(table)} drawings to review: http://{HOST}:{port}. Ctrl+C ends it.")
    uvicorn.run(app, host=HOST, port=port, log_level="warning")


@review.command("export")
@ENV
@_FILE
def export_tasks(env: str, file: Path) -> None:
    """Write the drawings under review to FILE, as tasks for Label Studio."""
    from bukva.tasks.glyph.feedback.decisions import write_tasks

    table, _ = _open_review(env)
    file.write_bytes(write_tasks(table))
    click.echo(f"Wrote {len(table)} tasks to {file}.")


@review.command("import")
@ENV
@_FILE
def import_annotations(env: str, file: Path) -> None:
    """Take decisions from FILE, a JSON export of Label Studio, where there is no newer one."""
    from bukva.tasks.glyph.feedback.decisions import newer_than, read_annotations

    _, decisions = _open_review(env)
    kept, (read, foreign) = decisions.load(), read_annotations(file.read_bytes())
    taken = newer_than(kept, read)
    decisions.save(kept | taken)
    click.echo(f"Took {len(taken)} decisions from {file}.")
    if older := len(read) - len(taken):
        click.echo(f"Left {older} as they were decided here at the same time or later.")
    if foreign:
        click.echo(f"Passed over {foreign} tasks of another project.")


def _open_review(env: str) -> "tuple[pd.DataFrame, DecisionsDataset]":
    """Return what was set aside, and where decisions are kept.

    Raises:
        CorpusMissingError: If `feedback_ingestion` never ran.
    """
    from bukva.cli.session import open_session

    catalog: Any = open_session(env).load_context().catalog
    if not catalog.exists("feedback_review"):
        raise CorpusMissingError(
            "Expected drawings to review, found none. Set them aside first: "
            f"kedro run --pipeline=feedback_ingestion --env={env}"
        )
    return catalog.load("feedback_review"), catalog.get("feedback_decisions")


def create_app(table: "pd.DataFrame", store: "DecisionsDataset", reviewer: str) -> "FastAPI":
    """Return the page for the drawings that were set aside, and the four addresses that it asks.

    It shows people's drawings to whoever can reach it, so it answers to this machine alone: it is
    bound to 127.0.0.1, knows no other name of its own, and refuses what other sites' pages ask.

    Args:
        table: The table `feedback_review`.
        store: Where decisions are kept, each of them at once; those of other drawings stay in it.
        reviewer: Whose name decisions bear.
    """
    from fastapi import Body, Depends, FastAPI, HTTPException
    from fastapi.responses import FileResponse, Response
    from fastapi.staticfiles import StaticFiles
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    from bukva.serving.app import PAGE
    from bukva.tasks.glyph.feedback.decisions import Decision, Symbol, media_type

    images = dict(zip(table["name"], table["image"], strict=True))
    drawings: list[dict[Any, Any]] = [
        row | {"alternatives": json.loads(row["alternatives"])}
        for row in table.drop(columns="image").replace({float("nan"): None}).to_dict("records")
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
        return Response(images[name], media_type=media_type(images[name]))

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


async def _guard(
    request: "Request", go_on: "Callable[[Request], Awaitable[Response]]"
) -> "Response":
    """Refuse other sites' pages and large bodies before anything reads them."""
    from fastapi.responses import JSONResponse

    from bukva.serving.access import is_own_site
    from bukva.serving.app import HEADERS
    from bukva.serving.middleware import SECURITY_HEADERS

    size = request.headers.get("content-length", "0")
    if request.url.path != "/" and not is_own_site(request.headers):
        response: Response = JSONResponse({"detail": "Open the page of the review itself."}, 403)
    elif "transfer-encoding" in request.headers or int(size) > _MAX_BODY_BYTES:
        response = JSONResponse({"detail": f"Expected at most {_MAX_BODY_BYTES} bytes."}, 413)
    else:
        response = await go_on(request)
    # Nothing is kept by the browser, and the page loads nothing from elsewhere.
    policy = {"Content-Security-Policy": HEADERS["Content-Security-Policy"]}
    response.headers.update(HEADERS | SECURITY_HEADERS | policy)
    return response
