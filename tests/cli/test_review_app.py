"""The addresses of the review: who may ask, what is stored, what is refused."""

import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from starlette.testclient import TestClient
from stored_corrections import START

from bukva.cli.review import create_app
from bukva.datasets.feedback import DecisionsDataset
from bukva.tasks.glyph.feedback.decisions import Decision

FIRST, SECOND, ELSEWHERE = "a" * 32, "b" * 32, "c" * 32
ALTERNATIVES = json.dumps([{"symbol": "Г", "probability": 0.97}])
REVIEW = pd.DataFrame(
    {
        "name": [FIRST, SECOND],
        "given": ["Ґ", "о"],
        "answer": ["Г", None],
        "created": START.isoformat(),
        "reading": ["Г", "∅"],
        "reading_probability": [0.97, 0.93],
        "alternatives": ALTERNATIVES,
        "image": [b"RIFF one", b"\x89PNG two"],
    }
)


@pytest.fixture
def store(tmp_path: Path) -> DecisionsDataset:
    return DecisionsDataset(filepath=str(tmp_path / "decisions.json"))


@pytest.fixture
def http(store: DecisionsDataset) -> Iterator[TestClient]:
    app = create_app(REVIEW, store, "Оксана")
    with TestClient(app, base_url="http://127.0.0.1:8020") as client:
        yield client


def decide(http: TestClient, name: str, symbol: str | None, **headers: str) -> int:
    answer = http.put(f"/drawings/{name}/decision", json={"symbol": symbol}, headers=headers)
    return answer.status_code


def test_drawings_are_listed_with_what_is_said_of_them(http: TestClient) -> None:
    first, second = http.get("/drawings").json()
    assert (first["name"], first["given"], first["reading"]) == (FIRST, "Ґ", "Г")
    assert first["alternatives"] == json.loads(ALTERNATIVES)
    assert (second["answer"], second["decision"]) == (None, None)
    image = http.get(f"/drawings/{SECOND}/image")
    assert (image.headers["content-type"], image.content) == ("image/png", b"\x89PNG two")
    image = http.get(f"/drawings/{FIRST}/image")
    assert image.headers["content-type"] == "image/webp"


def test_a_decision_is_on_the_disk_when_it_is_answered(
    http: TestClient, store: DecisionsDataset
) -> None:
    other = Decision(symbol="К", reviewer="somebody", decided=START)
    store.save({ELSEWHERE: other})
    assert decide(http, FIRST, "Ґ") == decide(http, SECOND, None) == 200
    kept = store.load()
    assert kept[ELSEWHERE] == other, "what was decided of others stays"
    assert (kept[FIRST].symbol, kept[FIRST].reviewer) == ("Ґ", "Оксана")
    assert kept[SECOND].symbol is None
    assert http.get("/drawings").json()[0]["decision"]["symbol"] == "Ґ"


def test_a_decision_is_changed_and_taken_back(http: TestClient, store: DecisionsDataset) -> None:
    assert decide(http, FIRST, "Ґ") == decide(http, FIRST, "Г") == 200
    assert store.load()[FIRST].symbol == "Г"
    for _ in range(2):
        assert http.delete(f"/drawings/{FIRST}/decision").status_code == 204
    assert store.load() == {}


@pytest.mark.parametrize("body", [{"symbol": "Ы"}, {"symbol": "ҐҐ"}, {}, [], {"symbol": 7}, None])
def test_what_is_no_symbol_is_refused(http: TestClient, body: object) -> None:
    answer = http.put(f"/drawings/{FIRST}/decision", json=body)
    assert answer.status_code == 422
    assert http.get("/drawings").json()[0]["decision"] is None


def test_a_letter_in_two_code_points_is_composed(http: TestClient, store: DecisionsDataset) -> None:
    for symbol in ("й", "Ї"):
        assert decide(http, FIRST, unicodedata.normalize("NFD", symbol)) == 200
        assert store.load()[FIRST].symbol == symbol


def test_a_large_body_is_refused(http: TestClient) -> None:
    for content in (b" " * 5000, iter([b" " * 5000])):  # announced, and in pieces
        assert http.put(f"/drawings/{FIRST}/decision", content=content).status_code == 413


def test_an_unknown_drawing_is_refused(http: TestClient) -> None:
    assert decide(http, ELSEWHERE, "Ґ") == 404
    assert http.delete(f"/drawings/{ELSEWHERE}/decision").status_code == 404
    assert http.get(f"/drawings/{ELSEWHERE}/image").status_code == 404
    assert http.get("/drawings/..%2f..%2fetc/image").status_code == 404


def test_another_sites_page_reads_and_writes_nothing(http: TestClient) -> None:
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert decide(http, FIRST, "Г", **foreign) == 403
    assert decide(http, FIRST, "Г", Origin="http://evil.example") == 403
    assert http.get("/drawings", headers=foreign).status_code == 403
    assert http.get(f"/drawings/{FIRST}/image", headers=foreign).status_code == 403
    assert decide(http, FIRST, "Г", **{"Sec-Fetch-Site": "same-origin"}) == 200


def test_another_name_of_this_machine_is_refused(http: TestClient) -> None:
    """As a page has that had its own name lead to 127.0.0.1."""
    answer = http.get("/drawings", headers={"Host": "evil.example:8020"})
    assert answer.status_code == 400
    assert FIRST not in answer.text
    assert http.get("/drawings", headers={"Host": "localhost:8020"}).status_code == 200


def test_the_page_runs_nothing_from_elsewhere(http: TestClient) -> None:
    for path in ("/", "/review/review.js", "/page/style.css"):
        policy = http.get(path).headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'")
        assert "unsafe" not in policy
    assert http.get("/drawings").headers["content-security-policy"].startswith("default-src 'none'")
    assert http.get("/openapi.json").status_code == 404
