"""Lines are read over HTTP, and so is what stands in the way."""

import itertools

import numpy as np
import pytest
from bar_network import draw_bars
from document_pages import bind, draw_page, encode_as
from PIL import ExifTags, Image
from serving_requests import base64_text
from serving_servers import Server
from test_service_metrics import read_metrics

TEXT = "її ої їо"
LINE = draw_bars(TEXT)
PNG = encode_as(LINE)
EMPTY = encode_as(Image.new("L", (600, 80), 250))


def ask(server: Server, file: bytes, **query: object):
    headers = {"content-type": "application/octet-stream"}
    return server.http.post("/v1/lines", content=file, params=query, headers=headers)


def test_a_line_is_read(reader):
    said = ask(reader, PNG).json()
    assert said["text"] == TEXT
    assert 0.5 < said["confidence"] <= 1
    assert [word["text"] for word in said["words"]] == TEXT.split()
    assert (said["width"], said["height"]) == LINE.size
    assert said["model"] == {"name": "bukva-line", "version": "1", "alias": "prod"}


def test_each_word_and_character_has_a_place(reader):
    said = ask(reader, PNG).json()
    characters = [each for word in said["words"] for each in word["characters"]]
    assert "".join(each["text"] for each in characters) == TEXT.replace(" ", "")
    for one in (*said["words"], *characters):
        box = one["box"]
        assert 0 <= box["left"] < box["left"] + box["width"] <= LINE.width
        assert 0 <= box["top"] < box["top"] + box["height"] <= LINE.height + 1
        assert 0 <= one["confidence"] <= 1
    lefts = [each["box"]["left"] for each in characters]
    assert lefts == sorted(lefts)


def test_a_doubtful_character_has_others(reader):
    said = ask(reader, encode_as(draw_bars("ї? ої"))).json()
    doubtful = said["words"][0]["characters"][1]
    assert doubtful["text"] == "о"
    assert [other["text"] for other in doubtful["alternatives"]] == ["ї"]
    assert doubtful["confidence"] < 0.99
    assert "її" in [other["text"] for other in said["words"][0]["alternatives"]]


def test_the_same_line_in_any_file_is_read_alike(reader):
    colours = LINE.convert("RGB")
    turned = Image.Exif()
    turned[ExifTags.Base.Orientation] = 6
    files = {
        "JPEG": encode_as(colours, "JPEG", quality=90),
        "WebP": encode_as(colours, "WEBP"),
        "TIFF": encode_as(LINE.convert("1"), "TIFF", compression="group4"),
        "TIFF of two pages": bind("TIFF", LINE, draw_page("printed")),
        "light on dark": encode_as(draw_bars(TEXT, shade=(225, 20))),
        "pale": encode_as(draw_bars(TEXT, shade=(150, 210))),
        "lying": encode_as(LINE.transpose(Image.Transpose.ROTATE_90), exif=turned.tobytes()),
    }
    for name, file in files.items():
        said = ask(reader, file).json()
        assert (name, said.get("text")) == (name, TEXT)
        assert (said["width"], said["height"]) == LINE.size


@pytest.mark.parametrize("height", [1, 5])
def test_a_picture_of_few_rows_is_refused(reader, height):
    answer = ask(reader, encode_as(Image.new("L", (500, height), 255)))
    assert (answer.status_code, answer.json()["code"]) == (422, "image_too_small")
    assert f"500 x {height}" in answer.json()["detail"]


def test_an_empty_line_says_nothing(reader):
    said = ask(reader, EMPTY).json()
    assert (said["text"], said["words"]) == ("", [])


def test_a_photo_of_20_megapixels_is_read(reader):
    """One line on a sheet that fills the photo, with the noise of a camera."""
    sheet = Image.new("L", (5472, 3648), 225)
    line = draw_bars(TEXT, 400, shade=(50, 225))
    sheet.paste(line, (500, 1500))
    noise = np.random.default_rng(5).normal(0, 3, (3648, 5472)).astype(np.int16)
    grey = np.clip(np.asarray(sheet).astype(np.int16) + noise, 0, 255).astype(np.uint8)
    photo = encode_as(Image.fromarray(grey).convert("RGB"), "JPEG", quality=80)
    said = ask(reader, photo).json()
    assert (said["text"], said["width"], said["height"]) == (TEXT, 5472, 3648)
    first = said["words"][0]["box"]
    assert abs(first["left"] - 520) < 200
    assert abs(first["top"] - 1520) < 200


PROBLEMS = {
    "no file": (b"", 400, "missing_image"),
    "a text": (b"text", 415, "unsupported_format"),
    "a PDF": (bind("PDF", LINE), 415, "unsupported_format"),
    "half a picture": (PNG[:100], 422, "undecodable_image"),
    "a dark picture": (encode_as(Image.new("L", (500, 300), 3)), 422, "too_dark"),
    "too many pixels": (encode_as(Image.new("1", (9000, 9000))), 422, "image_too_large"),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_what_cannot_be_read_is_a_problem(reader, name):
    file, status, code = PROBLEMS[name]
    answer = ask(reader, file)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_line_comes_as_a_file_or_in_a_form_and_not_in_json(reader):
    said = reader.http.post("/v1/lines", files={"file": ("a.png", PNG)}).json()
    assert said["text"] == TEXT
    for refused in (
        reader.http.post("/v1/lines", json={"image": base64_text(PNG)}),
        reader.http.post("/v1/lines", content=PNG, headers={"content-type": "application/pdf"}),
    ):
        assert refused.json()["code"] == "unsupported_media_type"
        assert "pdf" not in refused.json()["detail"]


def test_it_may_be_asked_for_a_language_and_a_way_to_decode(reader):
    ways = itertools.product((None, "uk"), (None, "greedy", "beam"))
    for language, decoding in ways:
        query = {"language": language, "decoding": decoding}
        said = ask(reader, PNG, **{name: given for name, given in query.items() if given})
        assert said.json()["text"] == TEXT
    for wrong in ({"language": "en"}, {"decoding": "x"}):
        assert ask(reader, PNG, **wrong).json()["code"] == "invalid_request"


def test_the_open_inference_protocol_reads_lines(reader):
    tensor = {"name": "image", "datatype": "BYTES", "shape": [3]}
    form = {
        "inputs": [tensor | {"data": [base64_text(each) for each in (PNG, b"text", EMPTY)]}],
        "parameters": {"language": "uk", "decoding": "greedy"},
    }
    path = "/v2/models/bukva-line/infer"
    said = reader.http.post(path, json=form).json()
    outputs = {each["name"]: each["data"] for each in said["outputs"]}
    assert outputs["label"] == [TEXT, "", ""]
    assert outputs["error"] == ["", "unsupported_format", ""]
    for wrong in ({"language": "en"}, {"decoding": 5}):
        refused = reader.http.post(path, json=form | {"parameters": wrong})
        assert refused.json()["code"] == "invalid_request"


def test_lines_are_counted(reader):
    for file in (PNG, EMPTY, b"text"):
        ask(reader, file)
    found = read_metrics(reader)
    for label in ("text", "empty", "none"):
        assert found["bukva_lines_total", "1", label] >= 1


def test_the_model_of_lines_is_told(reader):
    assert reader.http.get("/readyz").json()["tasks"]["line"] is None
    assert reader.http.get("/version").json()["tasks"]["line"]["name"] == "bukva-line"
    said = reader.http.get("/v1/model", params={"task": "line"}).json()
    assert said["model"]["name"] == "bukva-line"
    assert reader.http.get("/v2/models/bukva-line").json()["name"] == "bukva-line"
