"""Pages are told apart over HTTP, and so is what stands in the way."""

import io

import pytest
from document_pages import EMPTY_PDF, ENCRYPTED_PDF, bind, draw_page, encode_as
from PIL import Image
from serving_requests import base64_text, draw, encode
from serving_servers import Server
from test_service_metrics import read_metrics

HAND = encode_as(draw_page("handwritten"))
PRINT = encode_as(draw_page("printed"))
BOTH = encode_as(draw_page("handwritten", "printed"))
PDF = bind("PDF", draw_page("handwritten"), draw_page("printed"))
TIFF = bind("TIFF", *(draw_page(kind).convert("1") for kind in ("handwritten", "printed")),
            compression="group4")  # fmt: skip


def ask(server: Server, file: bytes, path: str = "/v1/documents", **query: object):
    headers = {"content-type": "application/octet-stream"}
    return server.http.post(path, content=file, params=query, headers=headers)


@pytest.mark.parametrize(
    ("file", "label"),
    [(HAND, "handwritten"), (PRINT, "printed"), (BOTH, "mixed"),
     (encode_as(draw_page()), "blank")],
    ids=["handwritten", "printed", "mixed", "blank"],
)  # fmt: skip
def test_a_page_is_told(reader, file, label):
    said = ask(reader, file).json()
    assert said["label"] == label
    assert (said["confidence"] is None) == (label == "blank")
    assert (said["page"], said["pages"], said["width"], said["height"]) == (1, 1, 640, 480)
    assert said["model"] == {"name": "bukva-document", "version": "1", "alias": "prod"}
    kinds = {"mixed": ["handwritten", "printed"], "blank": []}.get(label, [label])
    assert [part["label"] for part in said["parts"]] == kinds
    for part in said["parts"]:
        box = part["box"]
        assert 0 <= box["left"] < box["left"] + box["width"] <= 640
        assert 0 <= box["top"] < box["top"] + box["height"] <= 480


@pytest.mark.parametrize("file", [PDF, TIFF], ids=["PDF", "TIFF"])
def test_one_page_of_several_is_told(reader, file):
    for page, label in ((1, "handwritten"), (2, "printed")):
        said = ask(reader, file, page=page).json()
        assert (said["label"], said["page"], said["pages"]) == (label, page, 2)
    assert ask(reader, file).json()["page"] == 1
    assert ask(reader, file, page=3).json()["code"] == "page_missing"


def test_a_file_may_come_in_a_form_or_as_what_it_is(reader):
    said = reader.http.post("/v1/documents", files={"file": ("a.pdf", PDF)}).json()
    assert said["label"] == "handwritten"
    for media_type in ("image/tiff", "application/pdf", "image/png"):
        headers = {"content-type": media_type}
        answer = reader.http.post("/v1/documents", content=HAND, headers=headers)
        assert answer.json()["label"] == "handwritten"


PROBLEMS = {
    "no file": (b"", 400, "missing_image"),
    "a text": (b"text", 415, "unsupported_format"),
    "half a picture": (HAND[:100], 422, "undecodable_image"),
    "an empty PDF": (EMPTY_PDF, 422, "undecodable_image"),
    "an encrypted PDF": (ENCRYPTED_PDF, 422, "encrypted_document"),
    "one row of pixels": (encode_as(Image.new("L", (500, 1))), 422, "image_too_small"),
    "a dark picture": (encode_as(Image.new("L", (500, 300), 3)), 422, "too_dark"),
    "81 megapixels": (encode_as(Image.new("1", (9000, 9000))), 422, "image_too_large"),
}


@pytest.mark.parametrize("path", ["/v1/documents", "/v1/documents/explain"])
@pytest.mark.parametrize("name", PROBLEMS)
def test_what_cannot_be_read_is_a_problem(reader, name, path):
    file, status, code = PROBLEMS[name]
    answer = ask(reader, file, path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


def test_json_is_not_taken(reader):
    answer = reader.http.post("/v1/documents", json={"image": base64_text(HAND)})
    assert answer.json()["code"] == "unsupported_media_type"


@pytest.mark.parametrize("query", [{"page": 0}, {"page": "x"}, {"page": -1}])
def test_a_page_that_cannot_be_is_refused(reader, query):
    assert ask(reader, HAND, **query).json()["code"] == "invalid_request"


@pytest.mark.parametrize("method", ["grad_cam", "occlusion"])
def test_the_page_is_shown_with_what_tells(reader, method):
    answer = ask(reader, BOTH, "/v1/documents/explain", method=method)
    assert answer.headers["content-type"] == "image/png"
    overlay = Image.open(io.BytesIO(answer.content))
    assert overlay.size == (640, 480)
    assert overlay.convert("HSV").getchannel("S").getextrema()[1] > 100
    assert ask(reader, BOTH, "/v1/documents/explain", method="x").status_code == 400


def test_pages_are_counted(reader):
    ask(reader, PRINT)
    ask(reader, b"text")
    found = read_metrics(reader)
    assert found["bukva_documents_total", "1", "printed"] >= 1
    assert found["bukva_documents_total", "1", "none"] >= 1


def test_the_open_inference_protocol_reads_documents(reader):
    tensor = {"name": "image", "datatype": "BYTES", "shape": [2]}
    form = {
        "inputs": [tensor | {"data": [base64_text(each) for each in (PDF, b"text")]}],
        "parameters": {"page": 2},
    }
    said = reader.http.post("/v2/models/bukva-document/infer", json=form).json()
    outputs = {each["name"]: each["data"] for each in said["outputs"]}
    assert outputs["label"] == ["printed", ""]
    assert outputs["error"] == ["", "unsupported_format"]
    assert outputs["confidence"][0] > 0.9
    bad = reader.http.post(
        "/v2/models/bukva-document/infer", json=form | {"parameters": {"page": 0}}
    )
    assert bad.json()["code"] == "invalid_request"


def test_the_model_of_documents_is_told(reader):
    said = reader.http.get("/v1/model", params={"task": "document"}).json()
    assert said["model"]["name"] == "bukva-document"
    assert reader.http.get("/v1/model").json()["model"]["name"] == "bukva-glyph"
    assert reader.http.get("/v2/models/bukva-document/ready").status_code == 200


def test_letters_are_read_beside(reader):
    answer = reader.http.post("/v1/predict", files={"file": ("a.png", encode(draw()))})
    assert answer.json()["model"]["name"] == "bukva-glyph"
