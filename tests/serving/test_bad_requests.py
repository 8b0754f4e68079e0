"""Every kind of bad input is answered with its status and code, and is never repeated back."""

import gzip
import json
import struct
import zlib
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from serving_requests import (
    BOUNDARY,
    JSON_TYPE,
    MULTIPART_TYPE,
    base64_text,
    draw,
    encode,
    json_body,
    multipart_body,
    part,
)

from bukva.serving.problems import KINDS

# Stands in whatever a caller can write; must stand in no answer.
MARK = "caller-wrote-this"
PNG = encode(draw())
TEXT = base64_text(PNG)
MIB = 1_048_576


@dataclass
class Case:
    """One bad request, and the code of the problem that it must get."""

    name: str
    code: str
    body: bytes
    headers: dict[str, str] = field(default_factory=lambda: dict(JSON_TYPE))


def in_json(name: str, code: str, image: str) -> Case:
    return Case(name, code, json.dumps({"image": image}, ensure_ascii=False).encode())


def in_multipart(name: str, code: str, *parts: bytes, tail: bytes | None = None) -> Case:
    body = multipart_body(*parts) if tail is None else b"".join(parts) + tail
    return Case(name, code, body, dict(MULTIPART_TYPE))


def as_file(name: str, code: str, data: bytes) -> Case:
    return in_multipart(name, code, part(data, f'form-data; name="file"; filename="{MARK}.png"'))


def png_header(width_px: int, height_px: int) -> bytes:
    """A PNG that announces a size and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    size = struct.pack(">IIBBBBB", width_px, height_px, 8, 0, 0, 0, 0)
    image = chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + image


BASE64_CASES = [
    in_json("blank inside", "invalid_base64", TEXT[:20] + " " + TEXT[20:]),
    in_json("blank at the end", "invalid_base64", TEXT + " "),
    in_json("newline inside", "invalid_base64", TEXT[:76] + "\n" + TEXT[76:]),
    in_json("asterisk", "invalid_base64", "*" + TEXT),
    in_json("no padding", "invalid_base64", "aGk"),
    in_json("only padding", "invalid_base64", "===="),
    in_json("too much padding", "invalid_base64", "aGk=="),
    in_json("two texts in a row", "invalid_base64", "aGk=" + TEXT),
    in_json("url-safe alphabet", "invalid_base64", "-_-_"),
    in_json("data URI of text", "invalid_base64", "data:text/html;base64," + TEXT),
    in_json("data URI of SVG", "invalid_base64", "data:image/svg+xml;base64," + TEXT),
    in_json("data URI with a parameter", "invalid_base64", "data:image/png;a=b;base64," + TEXT),
    in_json("data URI in capitals", "invalid_base64", "DATA:image/png;base64," + TEXT),
    in_json("data URI with two commas", "invalid_base64", "data:image/png;base64,," + TEXT),
    in_json("data URI twice", "invalid_base64", 2 * "data:image/png;base64," + TEXT),
    in_json("blank before the data URI", "invalid_base64", " data:image/png;base64," + TEXT),
    in_json("data URI without base64", "invalid_base64", "data:image/png,%89PNG"),
    in_json("percent-encoded", "invalid_base64", TEXT.replace("=", "%3D") + "%3D"),
    in_json("NUL", "invalid_base64", TEXT + "\0"),
    in_json("Cyrillic", "invalid_base64", "буква"),
    in_json("full-width letters", "invalid_base64", "ａＧｋ＝"),
    in_json("an address", "invalid_base64", f"http://127.0.0.1/{MARK}"),
    in_json("empty text", "missing_image", ""),
    in_json("data URI of nothing", "missing_image", "data:image/png;base64,"),
    in_json("a byte over the limit", "file_too_large", base64_text(bytes(MIB + 1))),
]

JSON_CASES = [
    Case("no body", "malformed_json", b""),
    Case("cut short", "malformed_json", b'{"image": "aGk='),
    Case("NaN", "malformed_json", b'{"image": NaN}'),
    Case("Infinity", "malformed_json", b'{"image": -Infinity}'),
    Case("NaN in an unknown field", "malformed_json", b'{"image": "aGk=", "x": NaN}'),
    Case("number beyond a double", "invalid_request", b'{"image": 1e400}'),
    Case("number of 5000 digits", "malformed_json", b'{"image": ' + b"7" * 5000 + b"}"),
    Case("depth of 100", "invalid_request", b'{"image": ' + b"[" * 100 + b"]" * 100 + b"}"),
    Case("depth of 100,000", "malformed_json", b"[" * 100_000 + b"]" * 100_000),
    Case("key twice", "malformed_json", b'{"image": "aGk=", "image": "aGk="}'),
    Case("unknown key", "invalid_request", f'{{"image": "aGk=", "{MARK}": 1}}'.encode()),
    Case(
        "10,000 unknown keys",
        "invalid_request",
        json.dumps(dict.fromkeys(map(str, range(10_000)), MARK)).encode(),
    ),
    Case("other key", "invalid_request", f'{{"{MARK}": "aGk="}}'.encode()),
    Case("null", "invalid_request", b"null"),
    Case("null image", "invalid_request", b'{"image": null}'),
    Case("text", "invalid_request", f'"{MARK}"'.encode()),
    Case("list", "invalid_request", f'["{MARK}"]'.encode()),
    Case("list of images", "invalid_request", f'{{"image": ["{TEXT}"]}}'.encode()),
    Case("object as image", "invalid_request", f'{{"image": {{"{MARK}": 1}}}}'.encode()),
    Case("number as image", "invalid_request", b'{"image": 5}'),
    Case("bool as image", "invalid_request", b'{"image": true}'),
    Case("lone surrogate", "invalid_base64", b'{"image": "\\ud800"}'),
    Case("UTF-16", "malformed_json", '{"image": "aGk="}'.encode("utf-16")),
    Case("not UTF-8", "malformed_json", b'{"image": "\xff\xfe"}'),
    Case("byte order mark", "malformed_json", b'\xef\xbb\xbf{"image": "aGk="}'),
    Case("single quotes", "malformed_json", f"{{'image': '{MARK}'}}".encode()),
    Case("control character", "malformed_json", f'{{"image": "{MARK}\n"}}'.encode()),
    Case("after the end", "malformed_json", b'{"image": "aGk="} {}'),
    Case("gzip unannounced", "malformed_json", gzip.compress(json_body(PNG))),
]

MULTIPART_CASES = [
    in_multipart("no part", "invalid_request"),
    in_multipart("two files", "malformed_multipart", part(PNG), part(PNG)),
    in_multipart(
        "file and a field",
        "malformed_multipart",
        part(PNG),
        part(b"1", f'form-data; name="{MARK}"'),
    ),
    in_multipart("a field only", "malformed_multipart", part(b"1", f'form-data; name="{MARK}"')),
    in_multipart(
        "other name", "invalid_request", part(PNG, f'form-data; name="{MARK}"; filename="a.png"')
    ),
    in_multipart("no file name", "malformed_multipart", part(PNG, 'form-data; name="file"')),
    in_multipart("no name", "malformed_multipart", part(PNG, f'form-data; filename="{MARK}"')),
    in_multipart(
        "no disposition",
        "malformed_multipart",
        f"--{BOUNDARY}\r\nX: y\r\n\r\n".encode() + PNG + b"\r\n",
    ),
    in_multipart("1001 fields", "malformed_multipart", *[part(b"1", 'form-data; name="x"')] * 1001),
    in_multipart("truncated", "invalid_request", part(PNG)[:-30], tail=b""),
    in_multipart("cut in the headers", "invalid_request", part(PNG)[:40], tail=b""),
    in_multipart("empty body", "invalid_request", tail=b""),
    in_multipart(
        "other boundary",
        "malformed_multipart",
        part(PNG).replace(b"xyzzy", b"plugh"),
        tail=b"--plugh--",
    ),
    in_multipart(
        "header of 5 KB",
        "malformed_multipart",
        part(PNG, 'form-data; name="file"; filename="' + "a" * 5000 + '"'),
    ),
    in_multipart(
        "20 headers",
        "malformed_multipart",
        part(PNG).replace(b"\r\n\r\n", b"\r\nX: y" * 20 + b"\r\n\r\n", 1),
    ),
    in_multipart("1 MB before the first part", "malformed_multipart", b"a" * MIB, part(PNG)),
    as_file("empty file", "missing_image", b""),
    as_file("a byte over the limit", "file_too_large", bytes(MIB + 1)),
    Case(
        "no boundary",
        "malformed_multipart",
        multipart_body(part(PNG)),
        {"content-type": "multipart/form-data"},
    ),
    Case(
        "empty boundary",
        "malformed_multipart",
        multipart_body(part(PNG)),
        {"content-type": "multipart/form-data; boundary="},
    ),
    Case(
        "boundary of 300 bytes",
        "malformed_multipart",
        PNG,
        {"content-type": "multipart/form-data; boundary=" + "b" * 300},
    ),
    Case(
        "codec that always fails",
        "malformed_multipart",
        multipart_body(part(PNG)),
        {"content-type": MULTIPART_TYPE["content-type"] + "; charset=undefined"},
    ),
]

TYPE_CASES = [
    Case("no content type", "unsupported_media_type", json_body(PNG), {}),
    Case("raw PNG", "unsupported_media_type", PNG, {"content-type": "image/png"}),
    Case("text", "unsupported_media_type", json_body(PNG), {"content-type": "text/plain"}),
    Case(
        "form",
        "unsupported_media_type",
        b"image=aGk=",
        {"content-type": "application/x-www-form-urlencoded"},
    ),
    Case("nonsense", "unsupported_media_type", PNG, {"content-type": f"/;{MARK}"}),
    Case("JSON lines", "unsupported_media_type", PNG, {"content-type": "application/jsonl"}),
    Case(
        "gzip announced",
        "unsupported_media_type",
        gzip.compress(json_body(PNG)),
        {**JSON_TYPE, "content-encoding": "gzip"},
    ),
]

SIZE_CASES = [
    Case("a byte over the limit", "body_too_large", b" " * 1_572_865),
    Case("20 MB", "body_too_large", b" " * 20_000_000),
    in_multipart(
        "1 MB after the last part",
        "body_too_large",
        part(PNG),
        tail=b"--" + BOUNDARY.encode() + b"--\r\n" + b"a" * 2 * MIB,
    ),
]

IMAGE_CASES = [
    as_file("text", "unsupported_format", MARK.encode() * 10),
    as_file("one byte", "unsupported_format", b"\x89"),
    as_file("HTML", "unsupported_format", f"<html>{MARK}".encode()),
    as_file("SVG", "unsupported_format", b'<svg xmlns="http://www.w3.org/2000/svg"/>'),
    as_file("PDF", "unsupported_format", b"%PDF-1.7\n"),
    as_file(
        "pickle",
        "unsupported_format",
        b"\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00\x8c\x01a\x94.",
    ),
    as_file("GIF", "unsupported_format", encode(draw(), "GIF")),
    as_file("BMP", "unsupported_format", encode(draw(), "BMP")),
    as_file("TIFF", "unsupported_format", encode(draw(), "TIFF")),
    as_file("gzip of a PNG", "unsupported_format", gzip.compress(PNG)),
    as_file("PNG signature only", "undecodable_image", PNG[:8]),
    as_file("PNG cut in half", "undecodable_image", PNG[: len(PNG) // 2]),
    as_file(
        "JPEG cut in half", "undecodable_image", (jpeg := encode(draw(), "JPEG"))[: len(jpeg) // 2]
    ),
    as_file("81 megapixels", "image_too_large", png_header(9000, 9000)),
    as_file("blank page", "empty_image", encode(draw(pen_px=0).point(lambda _: 255))),
]

GROUPS = {
    "base64": BASE64_CASES,
    "json": JSON_CASES,
    "multipart": MULTIPART_CASES,
    "type": TYPE_CASES,
    "size": SIZE_CASES,
    "image": IMAGE_CASES,
}
CASES = [
    pytest.param(case, id=f"{group}: {case.name}")
    for group, cases in GROUPS.items()
    for case in cases
]


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_refused_with_its_code(server, openapi, case):
    response = server.http.post("/v1/predict", content=case.body, headers=case.headers)
    problem = response.json()
    assert (problem["code"], response.status_code) == (case.code, KINDS[case.code].status)
    assert response.headers["content-type"] == "application/problem+json"
    assert str(response.status_code) in openapi["paths"]["/v1/predict"]["post"]["responses"]
    assert MARK not in response.text + str(response.headers)
    assert len(response.content) < 1024


def test_server_still_answers_after_all_bad_input(server):
    for case in CASES:
        [bad] = case.values
        server.http.post("/v1/predict", content=bad.body, headers=bad.headers)
    good = server.http.post("/v1/predict", content=json_body(PNG), headers=JSON_TYPE)
    assert good.status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/predict", 405),
        ("PUT", "/v1/predict", 405),
        ("TRACE", "/v1/predict", 405),
        ("POST", "/livez", 405),
        ("GET", f"/{MARK}", 404),
        ("GET", "/v1/predict/", 404),
        ("GET", "/%2e%2e/%2e%2e/etc/passwd", 404),
        ("GET", "/docs", 404),
        ("GET", "/redoc", 404),
    ],
)
def test_wrong_address_or_method(server, method, path, status):
    response = server.http.request(method, path)
    assert response.status_code == status
    assert response.json()["status"] == status
    assert MARK not in response.text


@given(
    body=st.binary(max_size=400),
    content_type=st.sampled_from([*JSON_TYPE.values(), *MULTIPART_TYPE.values()]),
    wrapped=st.booleans(),
)
@hypothesis_settings(max_examples=60, deadline=None)
def test_any_bytes_get_a_status_of_the_table(server, openapi, body, content_type, wrapped):
    if wrapped:
        body = json_body(body) if "json" in content_type else multipart_body(part(body))
    response = server.http.post("/v1/predict", content=body, headers={"content-type": content_type})
    assert str(response.status_code) in openapi["paths"]["/v1/predict"]["post"]["responses"]
    assert response.status_code < 500
