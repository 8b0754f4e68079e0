"""The end of the process: announced, without a request lost, and with 0."""

import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from serving_requests import JSON_TYPE, draw, encode, json_body
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
        BUKVA_TRACKING_URI=registry, BUKVA_MODEL_NAME="bukva-ink", BUKVA_DRAIN_DELAY_S="2"
    ) as server:
        server.wait_until_ready()
        with ThreadPoolExecutor(8) as threads:
            clients = [threads.submit(send_until, stopped, server) for _ in range(8)]
            wait_for(lambda: server.http.get("/metrics").text.count('route="/v1/predict"'))
            server.process.send_signal(signal.SIGTERM)
            wait_for(lambda: is_draining(server), timeout_s=1.5)
            assert server.http.get("/livez").headers["connection"] == "close"
            stopped.set()
            statuses = [status for client in clients for status in client.result()]
        assert len(statuses) >= 8
        assert set(statuses) == {200}
        assert server.process.wait(timeout=15) == 0
        [line] = server.wait_for_log(event="draining")
        assert line["delay_s"] == 2
        with pytest.raises(httpx.ConnectError):
            httpx.get(server.base_url + "/livez")


def test_requests_in_flight_are_answered_without_a_delay_too(registry):
    with run_process(
        BUKVA_TRACKING_URI=registry, BUKVA_MODEL_NAME="bukva-slow", BUKVA_DEADLINE_S="30"
    ) as server:
        server.wait_until_ready()

        def predict(_):
            return httpx.post(
                server.base_url + "/v1/predict", content=BODY, headers=JSON_TYPE, timeout=30
            )

        with ThreadPoolExecutor(6) as threads:
            answers = [threads.submit(predict, number) for number in range(6)]
            wait_for(lambda: any(answer.done() for answer in answers))
            server.process.send_signal(signal.SIGTERM)
            assert [answer.result().status_code for answer in answers] == [200] * 6
        assert server.process.wait(timeout=15) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_service_that_still_loads_its_model_ends_at_once(registry, number):
    with run_process(BUKVA_TRACKING_URI=registry, BUKVA_MODEL_NAME="bukva-ink") as server:
        wait_for(lambda: server.answers("/livez"))
        assert server.http.get("/readyz").json()["code"] == "model_not_ready"
        server.process.send_signal(number)
        assert server.process.wait(timeout=15) == 0
        assert not any(line["event"] == "model_loaded" for line in server.log)
