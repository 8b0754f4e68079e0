"""What a page of another site may ask for, and which headers guard every answer."""

import pytest
from serving_requests import JSON_TYPE, base64_text, draw, encode

FRIEND = "https://school.example"
EVIL = "https://evil.example"


@pytest.fixture(scope="module")
def none_uri(tmp_path_factory):
    return f"sqlite:///{tmp_path_factory.mktemp('none') / 'none.db'}"


@pytest.fixture
def plain(serve, none_uri, tmp_path):
    with serve(tracking_uri=none_uri, feedback_folder=tmp_path / "feedback") as server:
        yield server


@pytest.fixture
def open_to_friend(serve, none_uri, tmp_path):
    folder = tmp_path / "feedback"
    with serve(tracking_uri=none_uri, feedback_folder=folder, cors_origins=(FRIEND,)) as server:
        yield server


def give(server, **headers):
    body = {"image": base64_text(encode(draw())), "symbol": "Г", "consent": True}
    headers = {"Idempotency-Key": "0123456789abcdef-test", **headers}
    return server.http.post("/v1/feedback", json=body, headers=headers)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 201),  # a program
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://own.example"}, 201),
        ({"Sec-Fetch-Site": "none"}, 201),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": "https://other.own.example"}, 403),
        ({"Origin": EVIL}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://own.example", "Host": "own.example"}, 201),
        ({"Origin": "http://own.example:81", "Host": "own.example"}, 403),
        ({"Origin": "not an origin"}, 403),
        ({"Origin": "http://[", "Host": "own.example"}, 403),
    ],
)
def test_feedback_is_taken_from_own_pages_and_programs_only(plain, headers, status):
    answer = give(plain, **headers)
    assert answer.status_code == status
    assert status == 201 or answer.json()["code"] == "cross_site"


@pytest.mark.parametrize("origin", [EVIL, "null", FRIEND])
def test_by_default_no_other_site_may_read_an_answer(plain, origin):
    for answer in (
        plain.http.get("/version", headers={"Origin": origin}),
        give(plain, Origin=origin),
        plain.http.options("/v1/predict", headers=preflight(origin)),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control")]


def preflight(origin, method="POST", headers="content-type, x-api-key"):
    return {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": headers,
    }


def test_a_listed_site_may(open_to_friend):
    allowed = open_to_friend.http.options("/v1/predict", headers=preflight(FRIEND))
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == FRIEND
    answer = give(open_to_friend, Origin=FRIEND, **{"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 201
    assert answer.headers["access-control-allow-origin"] == FRIEND
    assert "access-control-allow-credentials" not in answer.headers
    refused = open_to_friend.http.post("/v1/predict", headers={"Origin": FRIEND})
    assert refused.headers["access-control-allow-origin"] == FRIEND, "its page can tell why"


@pytest.mark.parametrize(
    "origin", [EVIL, "null", FRIEND + ".evil.example", FRIEND + ":8443", "http://school.example"]
)
def test_the_list_is_exact(open_to_friend, origin):
    assert open_to_friend.http.options("/v1/predict", headers=preflight(origin)).status_code == 400
    answer = give(open_to_friend, Origin=origin, **{"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


HEADERS = {
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/page/main.js", 200),
        ("GET", "/livez", 200),
        ("GET", "/readyz", 503),
        ("GET", "/openapi.json", 200),
        ("GET", "/metrics", 200),
        ("GET", "/none", 404),
        ("GET", "/v1/predict", 405),
        ("POST", "/v1/predict", 503),
        ("POST", "/v1/feedback", 400),
    ],
)
def test_every_answer_has_the_headers_that_guard_it(plain, method, path, status):
    answer = plain.http.request(method, path)
    assert answer.status_code == status
    assert HEADERS.items() <= answer.headers.items()
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none';")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    is_page = path == "/" or path.startswith("/page/")
    assert answer.headers["cache-control"] == ("no-cache" if is_page else "no-store")
    assert "server" not in answer.headers


def test_too_large_a_body_has_them_too(plain):
    answer = plain.http.post("/v1/predict", content=b" " * 29_360_129, headers=JSON_TYPE)
    assert answer.status_code == 413
    assert HEADERS.items() <= answer.headers.items()
