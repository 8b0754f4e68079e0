"""The tensors of the Open Inference Protocol, as its clients send them."""

import json
import struct

import pytest
from serving_requests import JSON_TYPE, base64_text, draw, encode

PNG = encode(draw())
ADDRESS = "/v2/models/bukva-ink/infer"
HEADER = "Inference-Header-Content-Length"


def tensor(count=1, **changes):
    return {"name": "image", "shape": [count], "datatype": "BYTES", **changes}


def in_json(*images, **more):
    return {"inputs": [tensor(len(images), data=[base64_text(each) for each in images])], **more}


def packed(*elements):
    return b"".join(struct.pack("<I", len(each)) + each for each in elements)


def post_binary(server, form, tail):
    head = json.dumps(form).encode()
    headers = {HEADER: str(len(head)), "content-type": "application/octet-stream"}
    return server.http.post(ADDRESS, content=head + tail, headers=headers)


def test_files_in_json_are_answered_in_their_order(server):
    said = server.http.post(ADDRESS, json=in_json(PNG, b"text", id="mine")).json()
    assert (said["model_name"], said["model_version"], said["id"]) == ("bukva-ink", "1", "mine")
    outputs = {each["name"]: each for each in said["outputs"]}
    assert {each["datatype"] for each in outputs.values()} == {"BYTES", "FP32"}
    expected = server.http.post("/v1/predict", files={"file": ("a.png", PNG)}).json()
    assert outputs["label"]["data"] == [expected["symbol"], ""]
    assert outputs["confidence"]["data"] == [pytest.approx(expected["confidence"]), 0.0]
    assert outputs["error"]["data"] == ["", "unsupported_format"]
    answer = json.loads(outputs["answer"]["data"][0])
    assert answer["recognition"]["symbol"] == expected["symbol"]


def test_bytes_may_follow_the_json_both_ways(server):
    body = packed(PNG, PNG)
    form = {
        "inputs": [tensor(2, parameters={"binary_data_size": len(body)})],
        "outputs": [
            {"name": "label", "parameters": {"binary_data": True}},
            {"name": "confidence", "parameters": {"binary_data": True}},
            {"name": "error"},
        ],
    }
    answer = post_binary(server, form, body)
    head_bytes = int(answer.headers[HEADER])
    head, tail = json.loads(answer.content[:head_bytes]), answer.content[head_bytes:]
    label, confidence, error = head["outputs"]
    assert error["data"] == ["", ""]
    sizes = [each["parameters"]["binary_data_size"] for each in (label, confidence)]
    assert sizes == [len(tail) - 8, 8]
    symbol = server.http.post("/v1/predict", files={"file": ("a.png", PNG)}).json()["symbol"]
    assert tail[: sizes[0]] == packed(symbol.encode(), symbol.encode())
    first, second = struct.unpack("<2f", tail[sizes[0] :])
    assert first == second > 0


BAD = {
    "no JSON": (b"{", "malformed_json"),
    "no input": (json.dumps({"inputs": []}).encode(), "invalid_request"),
    "another input": (
        json.dumps({"inputs": [tensor(name="x", data=["aGk="])]}).encode(), "invalid_request",
    ),
    "another shape": (json.dumps({"inputs": [tensor(2, data=["aGk="])]}).encode(),
                      "invalid_request"),
    "no data": (json.dumps({"inputs": [tensor()]}).encode(), "invalid_request"),
    "no base64": (json.dumps({"inputs": [tensor(data=["*"])]}).encode(), "invalid_base64"),
    "an empty file": (json.dumps({"inputs": [tensor(data=[""])]}).encode(), "missing_image"),
    "an unknown source": (json.dumps(in_json(PNG, parameters={"source": "x"})).encode(),
                          "invalid_request"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_such_request_is_named(server, name):
    body, code = BAD[name]
    answer = server.http.post(ADDRESS, content=body, headers=JSON_TYPE)
    assert answer.json()["code"] == code
    # Where clients of the protocol look.
    assert answer.json()["error"] == answer.json()["detail"]


@pytest.mark.parametrize("tail", [b"", b"\1", packed(PNG)[:-1], packed(PNG) + b"\0"])
def test_a_binary_tensor_that_is_cut_is_refused(server, tail):
    form = {"inputs": [tensor(parameters={"binary_data_size": len(tail)})]}
    assert post_binary(server, form, tail).json()["code"] == "invalid_request"


def test_openapi_holds_all_that_it_refers_to(openapi):
    text = json.dumps(openapi)
    assert "#/$defs" not in text
    assert "__answer__" not in text
    form = openapi["paths"]["/v2/models/{name}/infer"]["post"]["requestBody"]["content"]
    tensor = form["application/json"]["schema"]["properties"]["inputs"]["items"]
    assert tensor["properties"]["datatype"]["const"] == "BYTES"


def test_another_model_is_not_there(server):
    answer = server.http.post("/v2/models/other/infer", json=in_json(PNG))
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert "bukva-ink" in answer.json()["detail"]
