"""The end of the process: announced, without a request lost, and with 0."""

import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from serving_requests import JSON_TYPE, draw, draw_at, encode, json_body
from serving_servers import run_process, wait_for

BODY = json_body(encode(draw()))


def send_until(stopped, server):
    """Statuses of what one client gets, on a connection that it keeps; any reset is raised."""
    statuses = []
    with httpx.Client(base_url=server.base_url, timeout=10) as http:
        while not stopped.is_set():
            answer = http.post("/v1/predict", content=BODY, headers=JSON_TYPE)
            statuses.append(answer.status_code)
    return statuses


def is_draining(server):
    answer = httpx.get(server.base_url + "/readyz")
    return answer.status_code == 503 and answer.json()["code"] == "draining"


def test_a_balancer_that_looks_can_turn_away_before_the_end(registry):
    stopped = threading.Event()
    with run_process(
        BUKVA_TRACKING_URI=registry, BUKVA_MODEL_NAME="bukva-ink", BUKVA_DRAIN_DELAY_S="3"
    ) as server:
        server.wait_until_ready()
        with ThreadPoolExecutor(4) as threads:
            clients = [threads.submit(send_until, stopped, server) for _ in range(4)]
            wait_for(lambda: server.http.get("/metrics").text.count('route="/v1/predict"'))
            server.process.send_signal(signal.SIGTERM)
            wait_for(lambda: is_draining(server), timeout_s=2.5)
            assert server.http.get("/livez").headers["connection"] == "close"
            stopped.set()
            statuses = [status for client in clients for status in client.result()]
        assert len(statuses) >= 4
        assert set(statuses) == {200}
        assert server.process.wait(timeout=15) == 0
        [line] = server.wait_for_log(event="draining")
        assert line["delay_s"] == 3
        with pytest.raises(httpx.ConnectError):
            httpx.get(server.base_url + "/livez")


def test_a_model_that_hangs_does_not_hold_up_the_end(registry):
    with run_process(
        BUKVA_TRACKING_URI=registry, BUKVA_MODEL_NAME="bukva-fragile", BUKVA_DEADLINE_S="0.5"
    ) as server:
        server.wait_until_ready()
        hanging = json_body(encode(draw_at(1)))
        answer = server.http.post("/v1/predict", content=hanging, headers=JSON_TYPE)
        assert answer.json()["code"] == "deadline_passed"
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=15) == 0  # the model computes for a minute


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_service_that_still_loads_its_model_ends_at_once(registry, number):
    with run_process(BUKVA_TRACKING_URI=registry, BUKVA_MODEL_NAME="bukva-ink") as server:
        wait_for(lambda: server.answers("/livez"))
        assert server.http.get("/readyz").json()["code"] == "model_not_ready"
        server.process.send_signal(number)
        assert server.process.wait(timeout=15) == 0
        assert not any(line["event"] == "model_loaded" for line in server.log)
