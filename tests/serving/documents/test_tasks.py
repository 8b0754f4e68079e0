"""Each task has a model, a queue and a switch of its own."""

import threading
from concurrent.futures import ThreadPoolExecutor

from density_network import make_density_network
from document_pages import draw_page, encode_as
from packaged_models import register
from serving_requests import draw, encode
from serving_servers import run_thread, wait_for

PAGE = encode_as(draw_page("handwritten"))
LETTER = encode(draw())


def ask_document(server, path="/v1/documents", file=PAGE):
    return server.http.post(path, files={"file": ("a.png", file)})


def ask_letter(server):
    return server.http.post("/v1/predict", files={"file": ("a.png", LETTER)})


def wait_for_version(server, version):
    wait_for(lambda: ask_letter(server).json()["model"]["version"] == version)


def tasks_of(server):
    return server.http.get("/readyz").json()["tasks"]


def test_without_a_model_of_documents_letters_are_read(server):
    """`server` has a registry without one."""
    answer = ask_document(server)
    assert (answer.status_code, answer.json()["code"]) == (503, "model_not_ready")
    assert "has no models:/bukva-document@prod" in answer.json()["detail"]
    assert server.http.get("/readyz").status_code == 200
    assert server.http.get("/v2/models/bukva-document/ready").status_code == 503
    assert ask_letter(server).status_code == 200


def test_a_task_that_is_switched_off_is_not_there(documents_registry):
    with run_thread(tracking_uri=documents_registry, tasks=("glyph",)) as server:
        server.wait_until_ready()
        assert tasks_of(server) == {"glyph": None}
        assert ask_document(server).json()["code"] == "not_found"
        told = server.http.get("/v1/model", params={"task": "document"})
        assert told.json()["code"] == "not_found"
        assert server.http.get("/documents").status_code == 404
        assert "/v1/documents" not in server.http.get("/openapi.json").json()["paths"]


def test_documents_may_be_served_alone(documents_registry):
    with run_thread(tracking_uri=documents_registry, tasks=("document",)) as server:
        server.wait_until_ready()
        assert server.http.get("/readyz").json()["model"]["name"] == "bukva-document"
        assert ask_document(server).json()["label"] == "handwritten"
        assert ask_letter(server).json()["code"] == "not_found"
        assert "documents.js" in server.http.get("/").text


def test_models_change_by_themselves_while_letters_are_read(own_registry):
    """Promoted, a better one, a broken one, and back, without a lost letter."""
    uri, experiment_id, client = own_registry
    letters, stopped = [], threading.Event()

    def keep_asking(server):
        while not stopped.is_set():
            letters.append(ask_letter(server))

    with run_thread(tracking_uri=uri, alias_poll_s=0.05) as server:
        wait_for(lambda: server.answers("/v2/models/bukva-document/ready"))
        server.wait_until_ready()
        visitor = threading.Thread(target=keep_asking, args=(server,))
        visitor.start()
        try:
            assert ask_document(server).json()["label"] == "handwritten"
            other = make_density_network(side_of_print=-1.0)
            register("bukva-document", experiment_id, recogniser=other)
            wait_for(lambda: ask_document(server).json()["model"]["version"] == "2")
            assert ask_document(server).json()["label"] == "printed"
            broken = make_density_network(temperature=float("nan"))
            register("bukva-document", experiment_id, recogniser=broken)
            wait_for(lambda: "Version 3 is refused" in (tasks_of(server)["document"] or ""))
            assert tasks_of(server)["glyph"] is None
            assert ask_document(server).json()["model"]["version"] == "2"
            client.set_registered_model_alias("bukva-document", "prod", "1")
            wait_for(lambda: ask_document(server).json()["model"]["version"] == "1")
        finally:
            stopped.set()
            visitor.join()
    assert {answer.status_code for answer in letters} == {200}
    assert {answer.json()["model"]["version"] for answer in letters} == {"1"}


def test_a_broken_model_of_documents_keeps_no_letter_out(own_registry):
    uri, experiment_id, _ = own_registry
    broken = make_density_network(temperature=float("nan"))
    register("bukva-document", experiment_id, recogniser=broken)
    with run_thread(tracking_uri=uri) as server:
        server.wait_until_ready()
        wait_for(lambda: "is refused" in (tasks_of(server)["document"] or ""))
        assert ask_document(server).json()["code"] == "model_not_ready"
        assert ask_letter(server).status_code == 200


def test_documents_that_wait_hold_up_no_letter(documents_registry):
    """What is too much of one is refused, and of the other answered."""
    page = encode_as(draw_page(*["handwritten"] * 12, size=(1200, 1150)))
    with run_thread(tracking_uri=documents_registry, max_documents_in_flight=1) as server:
        wait_for(lambda: server.answers("/v2/models/bukva-document/ready"))
        server.wait_until_ready()
        path = "/v1/documents/explain?method=occlusion"
        with ThreadPoolExecutor(6) as threads:
            asked = [threads.submit(ask_document, server, path, page) for _ in range(6)]
            letters = [ask_letter(server).status_code for _ in range(5)]
            codes = {answer.result().status_code for answer in asked}
    assert letters == [200] * 5
    assert codes == {200, 503}


def test_what_both_serve_stays_in_the_cache(own_registry, tmp_path):
    uri, experiment_id, _ = own_registry
    places = {"tracking_uri": uri, "model_cache": tmp_path / "cache", "alias_poll_s": 0.05}
    with run_thread(**places) as server:
        wait_for(lambda: server.answers("/v2/models/bukva-document/ready"))
        for version in range(2, 6):
            register("bukva-glyph", experiment_id, temperature=1 + version / 10)
            wait_for_version(server, str(version))
    notes = [each.read_text() for each in (tmp_path / "cache").glob("*.json")]
    assert len(notes) == 2
