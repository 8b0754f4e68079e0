"""The generator and its checks, against servers that answer wrongly, late or not at all."""

import asyncio
import contextlib
import json
from collections.abc import Callable

import pytest

from load.generator import Request, Tally, ask_at_rate, ask_in_turn
from load.images import ask_mlflow, ask_service, draw_pages
from load.registry import answers_of
from load.report import Report, Row

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@contextlib.asynccontextmanager
async def saying(*parts: bytes, pause_s: float = 0.0):
    """The port of a server that answers each request with these parts, and closes after none."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.CancelledError):  # the test is over
            while await reader.read(65536) and parts:
                for part in parts:
                    await asyncio.sleep(pause_s)
                    writer.write(part)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def request(check: Callable[[int, bytes], str] = lambda *_: "") -> Request:
    return Request("good", b"GET / HTTP/1.1\r\n\r\n", check)


async def ask(*parts: bytes, pause_s: float = 0.0, **pace: float) -> Tally:
    async with saying(*parts, pause_s=pause_s) as port:
        if pace:
            return await ask_at_rate([port], [request()], **pace)
        return await ask_in_turn([port], [request()], connections=2, seconds=0.1)


def test_an_answer_in_pieces_is_one_answer() -> None:
    tally = asyncio.run(ask(OK[:20], OK[20:40], OK[40:], pause_s=0.01))
    assert tally.count("good", 200) == tally.count() > 0
    assert not tally.wrong
    assert tally.percentile_ms(0) > 20, "the time to its last piece"


def test_a_connection_that_is_closed_instead_of_an_answer_is_counted() -> None:
    tally = asyncio.run(ask())
    assert tally.count() == 0
    assert tally.wrong["good: ConnectionResetError"] > 0


def test_a_connection_that_says_it_closes_is_opened_anew() -> None:
    tally = asyncio.run(ask(OK.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n")))
    assert tally.count(status=200) > 2
    assert not tally.wrong


def test_a_rate_is_kept_and_what_finds_no_connection_is_counted() -> None:
    tally = asyncio.run(ask(OK, rate=200.0, seconds=0.2, connections=4))
    assert tally.count() + tally.unsent == 40
    stuck = asyncio.run(ask(OK, pause_s=0.5, rate=200.0, seconds=0.2, connections=4))
    assert (stuck.count(), stuck.unsent) == (4, 36)


@pytest.fixture(scope="module")
def page_and_answers() -> tuple[bytes, list[dict]]:
    """A page, and what two versions say of it."""
    page = draw_pages()[40]
    return page, [answers_of(factor, [page])[0] for factor in (1.0, 0.7)]


def served(answer: dict, version: str) -> bytes:
    model = {"name": "bukva-glyph", "version": version, "alias": "prod"}
    return json.dumps(answer | {"model": model}).encode()


def test_an_answer_that_mixes_two_versions_is_found(
    page_and_answers: tuple[bytes, list[dict]],
) -> None:
    page, (first, second) = page_and_answers
    check = ask_service(page, {"1": first, "2": second}).check
    assert check(200, served(first, "1")) == check(200, served(second, "2")) == ""
    assert check(200, served(first, "2")) == "other probabilities than expected"
    assert check(200, served(first, "3")) == "version 3 answered, which must not be served"
    assert "expected" in check(200, served(first | {"symbol": "?"}, "1"))


def test_a_refusal_is_right_only_where_it_may_be(
    page_and_answers: tuple[bytes, list[dict]],
) -> None:
    page, (first, _) = page_and_answers
    body = b'{"code": "overloaded"}'
    assert ask_service(page, {"1": first}).check(503, body) == "503 overloaded"
    assert ask_service(page, {"1": first}, may_refuse=True).check(503, body) == ""
    assert ask_service(page, {"1": first}, may_refuse=True).check(503, b"no") == "503"
    assert ask_mlflow(page, first).check(500, b"") == "500"


def test_a_report_tells_wrong_from_slow() -> None:
    assert Row("x", float("nan"), most=1).verdict == "missed"
    report = Report({})
    report.add("a time, ms", 3.0, most=1.0)
    assert (report.is_met, report.is_right) == (False, True)
    report.require_right("x", Tally(wrong={"good: 500": 2}))
    assert not report.is_right
    assert report.wrong == {"x: good: 500": 2}
