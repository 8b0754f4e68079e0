import asyncio

import httpx
import pytest
from pydantic import BaseModel

from bukva.serving.app import create_app
from bukva.serving.problems import KINDS, describe_problems
from bukva.serving.settings import Settings


class Note(BaseModel):
    number: float


@pytest.fixture
def app(tmp_path):
    """The application with two more routes: one that lets FastAPI validate, one that has a bug."""
    app = create_app(Settings(tracking_uri=f"sqlite:///{tmp_path / 'none.db'}"))

    @app.post("/note")
    async def note(note: Note) -> Note:
        return note

    @app.get("/bug")
    async def bug() -> None:
        raise ZeroDivisionError("caller-wrote-this")

    return app


def ask(app, method, path, **request):
    async def ask_once():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://bukva") as http:
            return await http.request(method, path, **request)

    return asyncio.run(ask_once())


@pytest.mark.parametrize("body", [b'{"number": "caller-wrote-this"}', b'{"x": NaN}', b"{", b""])
def test_validation_by_fastapi_does_not_echo(app, body):
    answer = ask(app, "POST", "/note", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert "caller-wrote-this" not in answer.text


def test_bug_is_reported_without_a_trace(app):
    answer = ask(app, "GET", "/bug")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert "caller-wrote-this" not in answer.text
    assert "Error" not in answer.text


def test_only_problems_that_pass_say_when_to_come_back():
    assert {kind.status for kind in KINDS.values() if kind.retry_after_s} == {429, 503}
    assert {kind.status for kind in KINDS.values() if not kind.retry_after_s} >= {400, 413, 504}


def test_problems_of_one_status_share_an_entry():
    entries = describe_problems("malformed_json", "invalid_base64", "file_too_large")
    assert set(entries) == {400, 413}
    assert "`malformed_json`" in entries[400]["description"]
    assert "`invalid_base64`" in entries[400]["description"]
