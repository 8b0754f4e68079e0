"""A model of documents goes into production, a better one after it, and back; letters are read."""

import threading
from collections.abc import Callable

import httpx
from document_pages import draw_page, encode_as
from job_storage import Storage
from serving_requests import draw, encode
from serving_servers import Server, run_process, wait_for

LETTER = encode(draw())
PAGE = encode_as(draw_page("printed"))
BETTER = "document.training.max_epochs=3,document.training.steps_per_epoch=30"


def version_of(server: Server) -> str:
    answer = server.http.post("/v1/documents", files={"file": ("a.png", PAGE)})
    return str(answer.json()["model"]["version"]) if answer.status_code == 200 else "none"


def test_promote_serve_better_and_back(copy_of_job: Callable[[], Storage]) -> None:
    storage = copy_of_job()
    letters: list[httpx.Response] = []
    stopped = threading.Event()

    def keep_asking(server: Server) -> None:
        while not stopped.wait(0.05):
            letters.append(server.http.post("/v1/predict", files={"file": ("a.png", LETTER)}))

    said = storage.run("job", "--task=document")
    assert "Model: put into production" in said
    with run_process(BUKVA_TRACKING_URI=storage.tracking_uri, BUKVA_ALIAS_POLL_S="0.2") as server:
        server.wait_until_ready()
        wait_for(lambda: version_of(server) == "1", timeout_s=60)
        visitor = threading.Thread(target=keep_asking, args=(server,))
        visitor.start()
        try:
            storage.run(
                "job", "--task=document", f"--params={BETTER},document.promotion.force=true"
            )
            wait_for(lambda: version_of(server) == "2", timeout_s=60)
            assert "Version 1 is in production again" in storage.run(
                "model", "rollback", "--task=document", "--why=story"
            )
            wait_for(lambda: version_of(server) == "1", timeout_s=60)
        finally:
            stopped.set()
            visitor.join()
    assert len(letters) > 20
    assert {answer.status_code for answer in letters} == {200}
    assert len({answer.json()["model"]["version"] for answer in letters}) == 1
    listed = storage.run("model", "list", "--task=document", "--json")
    assert '"version": "2"' in listed
    assert '"why": "story"' in storage.run("model", "log", "--task=document", "--json")
