"""Sizes, times and numbers: what is too much is refused early, and what was begun is finished."""

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest
from bad_http import send_raw
from serving_requests import JSON_TYPE, draw, draw_at, encode, json_body
from serving_servers import free_port, run_process, wait_for
from test_service_metrics import read_metrics

BODY = json_body(encode(draw()))


def predict(server, body=BODY):
    return server.http.post("/v1/predict", content=body, headers=JSON_TYPE)


@contextmanager
def raw_connection(server):
    with socket.create_connection(("127.0.0.1", server.http.base_url.port), timeout=5) as raw:
        yield raw


def head(*lines):
    lines = ("POST /v1/predict HTTP/1.1", "Host: a", "Content-Type: application/json", *lines)
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def test_announced_body_is_refused_before_it_is_sent(server):
    status, body = send_raw(
        server.http.base_url, head("Content-Length: 29360129", "Expect: 100-continue")
    )
    assert (status, json.loads(body)["code"]) == (413, "body_too_large")


def test_body_without_a_length_is_counted(server):
    chunks = (b" " * 1_048_576 for _ in range(29))
    answer = predict(server, chunks)
    assert "content-length" not in answer.request.headers
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_client_that_leaves_halfway_is_no_failure(server):
    with raw_connection(server) as raw:
        raw.sendall(head("Content-Length: 100", "X-Request-ID: left-halfway") + b"{")
    [line] = server.wait_for_log(id="left-halfway")
    assert line["status"] == 499


def test_head_that_is_late(tmp_path):
    """Only the process has the bound: uvicorn lacks it."""
    nowhere = f"sqlite:///{tmp_path / 'none.db'}"
    with run_process(BUKVA_TRACKING_URI=nowhere, BUKVA_HEADER_TIMEOUT_S="0.2") as server:
        wait_for(lambda: server.answers("/livez"))
        with raw_connection(server) as silent, raw_connection(server) as late:
            late.sendall(b"GET /livez HTTP/1.1\r\n")
            assert late.recv(100).startswith(b"HTTP/1.1 408 ")
            assert silent.recv(100) == b""
        # A connection that waits for its next request is not late.
        time.sleep(0.3)
        assert server.http.get("/livez").status_code == 200


def test_slow_body(registry, serve):
    with serve(tracking_uri=registry, model_name="bukva-ink", body_timeout_s=0.2) as server:
        server.wait_until_ready()
        started_s = time.monotonic()
        status, body = send_raw(server.http.base_url, head("Content-Length: 100") + b"{")
        assert (status, json.loads(body)["code"]) == (408, "body_timeout")
        assert time.monotonic() - started_s < 1


def test_deadline(registry, serve):
    with serve(tracking_uri=registry, model_name="bukva-halting", deadline_s=0.1) as server:
        server.wait_until_ready()
        started_s = time.monotonic()
        answer = predict(server, json_body(encode(draw_at(1))))
        assert (answer.status_code, answer.json()["code"]) == (504, "deadline_passed")
        assert time.monotonic() - started_s < 0.45  # the model alone takes half a second


def test_overload_is_refused_at_once_and_probes_are_not(registry, serve):
    with serve(tracking_uri=registry, model_name="bukva-slow", max_in_flight=2) as server:
        server.wait_until_ready()
        with ThreadPoolExecutor(6) as threads:
            answers = [threads.submit(predict, server) for _ in range(6)]
            time.sleep(0.1)
            assert server.http.get("/readyz").status_code == 200
        answers = [answer.result() for answer in answers]
        refused = [answer for answer in answers if answer.status_code == 503]
        assert len(refused) == 4
        assert {answer.json()["code"] for answer in refused} == {"overloaded"}
        for answer in refused:
            assert answer.json()["request_id"] == answer.headers["x-request-id"]
            assert answer.headers["x-content-type-options"] == "nosniff"
        assert read_metrics(server)["bukva_requests_total", "/v1/predict", "503"] == 4
        assert all(answer.headers["retry-after"] == "1" for answer in refused)
        assert max(answer.elapsed.total_seconds() for answer in refused) < 0.4
        assert predict(server).status_code == 200


def test_model_that_raises_is_no_500(registry, serve):
    with serve(tracking_uri=registry, model_name="bukva-fragile") as server:
        server.wait_until_ready()
        answer = predict(server, json_body(encode(draw_at(0))))
        assert (answer.status_code, answer.json()["code"]) == (503, "model_error")
        assert "bounds" not in answer.text
        assert predict(server).status_code == 200


def test_sigterm_lets_begun_requests_finish(doomed_server):
    with ThreadPoolExecutor(3) as threads:
        answers = [threads.submit(predict, doomed_server) for _ in range(3)]
        time.sleep(0.3)
        doomed_server.process.terminate()
        assert [answer.result().status_code for answer in answers] == [200, 200, 200]
    assert doomed_server.process.wait(timeout=5) == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(doomed_server.base_url + "/livez")


def test_log_has_one_line_for_a_request_and_no_image(server):
    headers = {**JSON_TYPE, "x-request-id": "log-test-1"}
    server.http.post("/v1/predict", content=BODY, headers=headers)
    [line] = server.wait_for_log(id="log-test-1")
    assert line.pop("ms") > 0
    assert line.pop("time")
    assert line == {
        "level": "info",
        "event": "request",
        "id": "log-test-1",
        "method": "POST",
        "route": "/v1/predict",
        "status": 200,
        "model_version": "1",
        "key": None,
    }


def test_log_does_not_repeat_an_unknown_path(server):
    server.http.get("/caller-wrote-this", headers={"x-request-id": "log-test-2"})
    [line] = server.wait_for_log(id="log-test-2")
    assert line["route"] is None
    assert "caller-wrote-this" not in json.dumps(server.log)


def test_port_in_use_is_said():
    with socket.create_server(("127.0.0.1", free_port())) as taken:
        with run_process(BUKVA_PORT=str(taken.getsockname()[1])) as server:
            assert server.process.wait(timeout=10) == 3
        assert any("address already in use" in line["event"] for line in server.log)
