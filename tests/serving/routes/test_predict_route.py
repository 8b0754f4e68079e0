import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image
from serving_requests import JSON_TYPE, draw, encode, json_body

from bukva.serving.schemas import Prediction

FORMATS = ["PNG", "JPEG", "WEBP"]


def draw_blot():
    page = Image.new("L", (64, 64), 255)
    page.paste(20, (16, 16, 48, 48))
    return page


def post_json(server, data, prefix=""):
    return server.http.post("/v1/predict", content=json_body(data, prefix), headers=JSON_TYPE)


def post_file(server, data):
    return server.http.post("/v1/predict", files={"file": ("a.png", data)})


def post_raw(server, data, media_type):
    return server.http.post("/v1/predict", content=data, headers={"content-type": media_type})


@pytest.mark.parametrize("image_format", FORMATS)
def test_all_forms_give_one_answer(server, image_format):
    data = encode(draw(), image_format)
    prefix = f"data:image/{image_format.lower()};base64,"
    answers = [
        post_file(server, data),
        post_json(server, data),
        post_json(server, data, prefix),
        post_raw(server, data, f"image/{image_format.lower()}"),
    ]
    assert [answer.status_code for answer in answers] == [200] * 4
    assert all(answer.json() == answers[0].json() for answer in answers)


def test_answer_keeps_its_promise(server):
    answer = post_file(server, encode(draw()))
    prediction = Prediction.model_validate_json(answer.content, strict=True)
    probabilities = [alternative.probability for alternative in prediction.alternatives]
    assert probabilities == sorted(probabilities, reverse=True)
    assert len(probabilities) == 5
    assert prediction.label == prediction.symbol.lower()
    assert prediction.model.alias == "prod"
    assert prediction.model.version == "1"


@pytest.mark.parametrize("pen_px", [1, 4, 14, 40, 80])
def test_digit_has_no_case_and_letter_has_one(server, pen_px):
    answer = post_file(server, encode(draw(pen_px=pen_px))).json()
    without_case = (answer["case"] is None, answer["case_confidence"] is None)
    assert without_case == (answer["symbol"].isdigit(),) * 2


def test_what_shows_no_symbol_is_answered_without_one(server):
    answer = post_file(server, encode(draw_blot()))
    assert answer.status_code == 200
    prediction = Prediction.model_validate_json(answer.content, strict=True)
    assert not prediction.is_symbol
    assert (prediction.symbol, prediction.label, prediction.confidence) == (None, None, None)
    assert len(prediction.alternatives) == 5


def test_top_k_shortens_the_alternatives(registry, serve):
    with serve(tracking_uri=registry, model_name="bukva-ink", top_k=2) as server:
        server.wait_until_ready()
        assert len(post_file(server, encode(draw())).json()["alternatives"]) == 2


def test_media_type_is_read_as_http_says(server):
    headers = {"content-type": "Application/JSON; charset=utf-8"}
    answer = server.http.post("/v1/predict", content=json_body(encode(draw())), headers=headers)
    assert answer.status_code == 200


def test_image_and_body_may_be_exactly_as_large_as_allowed(registry, serve):
    image = encode(draw())
    body = json_body(image)
    limits = {"max_image_bytes": len(image), "max_body_bytes": len(body)}
    with serve(tracking_uri=registry, model_name="bukva-ink", **limits) as server:
        server.wait_until_ready()
        assert post_json(server, image).status_code == 200


def test_concurrent_requests_get_their_own_answers(server):
    images = [encode(draw(pen_px=pen_px)) for pen_px in (1, 14, 40, 80)]
    alone = [post_file(server, image).json() for image in images]
    assert len({answer["confidence"] for answer in alone}) > 1
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda image: post_file(server, image).json(), images * 5))
    assert together == alone * 5


def test_every_answer_carries_an_id_and_the_security_headers(server):
    for answer in (
        server.http.get("/livez"),
        server.http.get("/nowhere"),
        post_file(server, b"no image"),
        post_file(server, encode(draw())),
    ):
        assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-request-id"])
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        expected = "default-src 'none'; frame-ancestors 'none'"
        assert answer.headers["content-security-policy"] == expected
        assert "server" not in answer.headers


@pytest.mark.parametrize(
    ("given", "kept"),
    [("edge-1234.abcd", True), ("short", False), ("a" * 65, False), ('"}{injected":1', False)],
)
def test_id_of_a_proxy_is_kept_when_it_is_harmless(server, given, kept):
    answer = server.http.get("/livez", headers={"x-request-id": given})
    assert (answer.headers["x-request-id"] == given) is kept
