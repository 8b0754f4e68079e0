"""Photos over HTTP: those of ordinary size are read, and a caller may say what an image is."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from photos import A4_300_DPI, photograph, written
from serving_requests import JSON_TYPE, base64_text, draw, draw_at, encode, json_body
from serving_servers import run_thread

PHONE = (4000, 3000)
MIB = 1_048_576


@pytest.fixture(scope="module")
def fragile(registry):
    """A service whose model breaks at a drawing at the top of its page, if it is told of a page."""
    with run_thread(tracking_uri=registry, model_name="bukva-fragile") as server:
        server.wait_until_ready()
        yield server


PHOTOS = {
    "12 MP JPEG": written(PHONE, "JPEG", quality=92),
    "48 MP JPEG": written((8000, 6000), "JPEG", quality=88),
    "A4 at 300 dpi": written(A4_300_DPI, "PNG", compress_level=1),
    "12 MP WebP": written(PHONE, "WEBP", method=0),
}


@pytest.mark.parametrize("make", PHOTOS.values(), ids=PHOTOS)
def test_a_photo_is_read(server, make):
    answer = server.http.post("/v1/predict", content=make(), headers={"content-type": "image/jpeg"})
    assert answer.status_code == 200
    assert answer.json()["alternatives"]


def test_photos_are_read_in_all_three_forms_and_alike(server):
    jpeg = PHOTOS["12 MP JPEG"]()
    alone = [
        server.http.post("/v1/predict", content=jpeg, headers={"content-type": "image/jpeg"}),
        server.http.post("/v1/predict", content=json_body(jpeg), headers=JSON_TYPE),
        server.http.post("/v1/predict", files={"file": ("a.jpg", jpeg)}),
    ]
    batch = {"images": [base64_text(jpeg)] * 3}
    together = server.http.post("/v1/predict/batch", json=batch).json()
    answers = [answer.json() for answer in alone]
    found = [result["recognition"] | {"model": together["model"]} for result in together["results"]]
    assert found == answers


def test_a_photo_is_explained(server):
    jpeg = PHOTOS["12 MP JPEG"]()
    headers = {"content-type": "image/jpeg"}
    answer = server.http.post("/v1/explain?source=photo", content=jpeg, headers=headers)
    assert answer.status_code == 200
    box = answer.json()["box"]
    assert 0.4 < box["left"] < box["left"] + box["width"] < 0.7, "the grid lies on the stroke"


def test_the_caller_says_what_an_image_is(fragile):
    """On a photo a place means nothing, so that the model is not told it, and does not break."""
    at_top = encode(draw_at(0.1))
    asked = {
        source: fragile.http.post(f"/v1/predict?source={source}", files={"file": ("a.png", at_top)})
        for source in ("drawing", "photo")
    }
    assert {source: answer.status_code for source, answer in asked.items()} == {
        "drawing": 503, "photo": 200
    }  # fmt: skip
    explained = fragile.http.post("/v1/explain?source=photo", files={"file": ("a.png", at_top)})
    assert explained.status_code == 200


def test_the_caller_says_what_all_images_of_a_batch_are(fragile):
    images = [base64_text(encode(draw_at(0.1)))] * 2
    codes = {
        source: fragile.http.post(
            "/v1/predict/batch", json={"images": images, "source": source}
        ).status_code
        for source in ("drawing", "photo")
    }
    assert codes == {"drawing": 503, "photo": 200}


@pytest.mark.parametrize("source", ["scan", "", "Photo"])
def test_a_source_that_there_is_not_is_refused(server, source):
    image = {"file": ("a.png", encode(draw()))}
    for path in ("predict", "explain"):
        answer = server.http.post(f"/v1/{path}?source={source}", files=image)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    batch = {"images": [base64_text(encode(draw()))], "source": source}
    answer = server.http.post("/v1/predict/batch", json=batch)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


def test_what_is_too_large_is_told_what_to_do(server):
    png = encode(photograph(*PHONE).convert("1").resize((5000, 4000)))
    problem = server.http.post("/v1/predict", files={"file": ("a.png", png)}).json()
    assert problem["code"] == "image_too_large"
    assert problem["detail"].endswith("got 5000 x 4000. Send it as JPEG, or scale it down.")


def test_large_bodies_share_one_room_and_keep_no_drawing_out(registry, serve):
    """A few large bodies fill the memory; a small one finds room beside them."""
    large = json_body(bytes(3 * MIB))
    settings = {"model_name": "bukva-ink", "body_room_bytes": len(large) - MIB + 1000}
    with serve(tracking_uri=registry, **settings) as server:
        server.wait_until_ready()
        is_sent, go_on = threading.Event(), threading.Event()

        def send_slowly():
            yield large[:-10]
            is_sent.set()
            go_on.wait(20)
            yield large[-10:]

        def post(content):
            return server.http.post("/v1/predict", content=content, headers=JSON_TYPE)

        with ThreadPoolExecutor(1) as thread:
            first = thread.submit(post, send_slowly())
            is_sent.wait(20)
            time.sleep(1)  # until what was sent has been read, too
            refused = post(large)
            assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
            assert refused.headers["retry-after"] == "1"
            assert post(json_body(encode(draw()))).status_code == 200
            go_on.set()
            assert first.result().json()["code"] == "unsupported_format"
        # What they held is given back.
        assert post(large).json()["code"] == "unsupported_format"
