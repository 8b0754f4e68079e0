import pytest
from PIL import Image
from serving_requests import base64_text, draw, encode


def post(server, *images):
    return server.http.post("/v1/predict/batch", json={"images": [*map(base64_text, images)]})


def test_each_image_is_answered_as_it_would_be_alone(server):
    images = [encode(draw(pen_px=pen)) for pen in (2, 14, 60)]
    together = post(server, *images).json()
    alone = [
        server.http.post("/v1/predict", files={"file": ("a.png", image)}).json() for image in images
    ]
    assert [
        result["recognition"] | {"model": together["model"]} for result in together["results"]
    ] == alone


def test_a_bad_image_harms_no_other(server):
    answer = post(server, b"text", encode(draw()), encode(Image.new("L", (9, 9), 255)))
    assert answer.status_code == 200
    bad, good, empty = answer.json()["results"]
    assert (bad["recognition"], bad["code"]) == (None, "unsupported_format")
    assert good["recognition"]["symbol"]
    assert good["code"] is None
    assert empty["code"] == "empty_image"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"images": []}, "invalid_request"),
        ({"images": ["AAAA"] * 65}, "invalid_request"),
        ({"images": "AAAA"}, "invalid_request"),
        ({"image": "AAAA"}, "invalid_request"),
        ({"images": ["AAAA", "*"]}, "invalid_base64"),
        ({"images": ["AAAA", ""]}, "missing_image"),
    ],
)
def test_what_is_not_as_asked_is_refused(server, body, code):
    answer = server.http.post("/v1/predict/batch", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_a_file_is_not_a_batch(server):
    answer = server.http.post("/v1/predict/batch", files={"file": ("a.png", encode(draw()))})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
