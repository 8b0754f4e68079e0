"""A client library of others asks, as it asks any server of the Open Inference Protocol.

It brings gevent and aiohttp, so that nothing here requires it: `pip install 'tritonclient[http]'`.
"""

import base64
import json

import numpy as np
import pytest
from document_pages import draw_page, encode_as
from serving_requests import draw, encode

http = pytest.importorskip("tritonclient.http")

LETTER = encode(draw())
PAGE = encode_as(draw_page("handwritten"))


@pytest.fixture
def client(reader):
    client = http.InferenceServerClient(reader.base_url.removeprefix("http://"))
    yield client
    client.close()


def ask(client, model, files, *, binary=True, **more):
    image = http.InferInput("image", [len(files)], "BYTES")
    image.set_data_from_numpy(np.array(files, dtype=object), binary_data=binary)
    return client.infer(model, [image], **more)


def test_it_finds_the_server_and_its_models(client):
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.get_server_metadata()["name"] == "bukva"
    for name in ("bukva-glyph", "bukva-document"):
        assert client.is_model_ready(name)
        told = client.get_model_metadata(name)
        assert [each["name"] for each in told["inputs"]] == ["image"]


def test_it_reads_letters_and_documents(client, reader):
    expected = reader.http.post("/v1/predict", files={"file": ("a.png", LETTER)}).json()
    answer = ask(client, "bukva-glyph", [LETTER, b"text"])
    assert answer.as_numpy("label").tolist() == [expected["symbol"].encode(), b""]
    assert answer.as_numpy("error").tolist() == [b"", b"unsupported_format"]
    said = json.loads(answer.as_numpy("answer")[0])["recognition"]
    assert said["symbol"] == expected["symbol"]
    answer = ask(client, "bukva-document", [PAGE], parameters={"page": 1})
    assert answer.as_numpy("label").tolist() == [b"handwritten"]
    assert 0.5 < answer.as_numpy("confidence")[0] <= 1


def test_it_may_ask_in_json_and_be_answered_so(client):
    outputs = [http.InferRequestedOutput("label", binary_data=False)]
    files = [base64.b64encode(PAGE)]
    answer = ask(client, "bukva-document", files, binary=False, outputs=outputs)
    assert answer.as_numpy("label").tolist() == ["handwritten"]
    assert answer.as_numpy("confidence") is None


def test_it_says_what_is_wrong(client):
    utils = pytest.importorskip("tritonclient.utils")
    with pytest.raises(utils.InferenceServerException, match="Served here: bukva-glyph"):
        ask(client, "other", [LETTER])
    with pytest.raises(utils.InferenceServerException, match="got 0 bytes"):
        ask(client, "bukva-glyph", [b""])
