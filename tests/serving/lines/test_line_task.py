"""Lines have a model, a process, a queue and a switch of their own."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import psutil
from bar_network import draw_bars, make_bar_network
from document_pages import draw_page, encode_as
from packaged_models import register
from serving_requests import draw, encode
from serving_servers import run_process, run_thread, wait_for, workers_of

LINE = encode_as(draw_bars("її ої"))
PAGE = encode_as(draw_page("handwritten"))
LETTER = encode(draw())


def ask(server, path="/v1/lines", file=LINE):
    return server.http.post(path, files={"file": ("a.png", file)})


def wait_until_read(server, *tasks):
    for task in tasks:
        wait_for(lambda name=task: server.answers(f"/v2/models/bukva-{name}/ready"))


def test_without_a_model_of_lines_all_else_is_read(own_registry):
    """It has no such model."""
    uri, experiment_id, _ = own_registry
    with run_thread(tracking_uri=uri, alias_poll_s=0.05) as server:
        wait_until_read(server, "glyph", "document")
        answer = ask(server)
        assert (answer.status_code, answer.json()["code"]) == (503, "model_not_ready")
        assert server.http.get("/readyz").status_code == 200
        assert "no models:/bukva-line@prod" in server.http.get("/readyz").json()["tasks"]["line"]
        register("bukva-line", experiment_id, recogniser=make_bar_network())
        wait_for(lambda: ask(server).status_code == 200)
        broken = make_bar_network(temperature=float("nan"))
        register("bukva-line", experiment_id, recogniser=broken)
        wait_for(
            lambda: (
                "Version 2 is refused" in (server.http.get("/readyz").json()["tasks"]["line"] or "")
            )
        )
        assert ask(server).json()["text"] == "її ої"
        register("bukva-line", experiment_id, recogniser=make_bar_network(turned=True))
        wait_for(lambda: ask(server).json()["text"] == "оо їо")


def test_lines_may_be_served_alone(documents_registry):
    with run_thread(tracking_uri=documents_registry, tasks=("line",)) as server:
        server.wait_until_ready()
        assert server.http.get("/readyz").json()["model"]["name"] == "bukva-line"
        assert ask(server).json()["text"] == "її ої"
        for other in ("/v1/predict", "/v1/documents", "/v1/feedback"):
            assert ask(server, other).json()["code"] == "not_found"
        assert "lines.js" in server.http.get("/").text
        assert "/v1/lines/feedback" in server.http.get("/openapi.json").json()["paths"]


def test_what_breaks_the_process_of_lines_breaks_no_other(documents_registry):
    with run_process(BUKVA_TRACKING_URI=documents_registry, BUKVA_LINE_DEADLINE_S="3") as server:
        wait_until_read(server, "glyph", "document", "line")
        service = psutil.Process(server.process.pid)
        workers = {each.cmdline()[-1]: each for each in workers_of(service)}
        assert set(workers) == {"document", "line"}
        for worker in workers.values():
            assert worker.nice() >= 10
            assert worker.rlimit(psutil.RLIMIT_AS)[0] == 2 << 30
        os.kill(workers["line"].pid, signal.SIGSTOP)
        with ThreadPoolExecutor(1) as threads:
            late = threads.submit(ask, server)
            assert ask(server, "/v1/documents", PAGE).json()["label"] == "handwritten"
            assert ask(server, "/v1/predict", LETTER).status_code == 200
            assert late.result().status_code in (503, 504)
        assert ask(server).json()["text"] == "її ої"
        assert workers["document"].is_running()


def test_more_lines_than_the_queue_takes_are_refused_at_once(documents_registry):
    with run_thread(tracking_uri=documents_registry, max_lines_in_flight=1) as server:
        wait_until_read(server, "glyph", "line")
        with ThreadPoolExecutor(8) as threads:
            asked = [threads.submit(ask, server) for _ in range(24)]
            letters = [ask(server, "/v1/predict", LETTER).status_code for _ in range(3)]
            codes = {answer.result().status_code for answer in asked}
    assert letters == [200] * 3
    assert codes == {200, 503}
