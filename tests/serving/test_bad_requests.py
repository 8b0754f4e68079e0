"""Every kind of bad request gets its status and code, and is never repeated back."""

import pytest
from bad_requests import MARK, PNG, bad_requests
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from serving_requests import JSON_TYPE, MULTIPART_TYPE, json_body, multipart_body, part

from bukva.serving.problems import KINDS

CASES = [pytest.param(case, id=f"{group}: {case.name}") for group, case in bad_requests()]


@pytest.mark.parametrize("case", CASES)
def test_bad_request_gets_its_status_and_code(server, openapi, case):
    response = server.http.post("/v1/predict", content=case.body, headers=case.headers)
    status = 200 if case.code is None else KINDS[case.code].status
    assert (response.json().get("code"), response.status_code) == (case.code, status)
    if case.code is not None:
        assert response.headers["content-type"] == "application/problem+json"
    assert str(response.status_code) in openapi["paths"]["/v1/predict"]["post"]["responses"]
    assert MARK not in response.text + str(response.headers)
    assert len(response.content) < 1024


def test_server_still_answers_after_all_bad_input(server):
    for case in CASES:
        [bad] = case.values
        server.http.post("/v1/predict", content=bad.body, headers=bad.headers)
    good = server.http.post("/v1/predict", content=json_body(PNG), headers=JSON_TYPE)
    assert good.status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/predict", 405),
        ("PUT", "/v1/predict", 405),
        ("TRACE", "/v1/predict", 405),
        ("POST", "/livez", 405),
        ("GET", f"/{MARK}", 404),
        ("GET", "/v1/predict/", 404),
        ("GET", "/%2e%2e/%2e%2e/etc/passwd", 404),
        ("GET", "/docs", 404),
        ("GET", "/redoc", 404),
    ],
)
def test_wrong_address_or_method(server, method, path, status):
    response = server.http.request(method, path)
    assert response.status_code == status
    assert response.json()["status"] == status
    assert MARK not in response.text


@given(
    body=st.binary(max_size=400),
    content_type=st.sampled_from([*JSON_TYPE.values(), *MULTIPART_TYPE.values()]),
    wrapped=st.booleans(),
)
@hypothesis_settings(max_examples=60, deadline=None)
def test_any_bytes_get_a_status_of_the_table(server, openapi, body, content_type, wrapped):
    if wrapped:
        body = json_body(body) if "json" in content_type else multipart_body(part(body))
    response = server.http.post("/v1/predict", content=body, headers={"content-type": content_type})
    assert str(response.status_code) in openapi["paths"]["/v1/predict"]["post"]["responses"]
    assert response.status_code < 500
