"""Every kind of bad request to recognise, and what is answered to it."""

import base64
import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

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

from bukva.core.imaging.opening import MAX_IMAGE_BYTES
from bukva.serving.settings import Settings

# Stands in whatever a caller can write; must stand in no answer.
MARK = "caller-wrote-this"
PNG = encode(draw())
TEXT = base64_text(PNG)
WRAPPED = base64.encodebytes(PNG).decode().replace("\n", "\r\n")
# Of a file with so many bytes behind it that there is a padding to leave out.
UNPADDED = base64_text(PNG.ljust(len(PNG) + (1 - len(PNG)) % 3)).rstrip("=")
MIB = 1_048_576
MAX_BODY_BYTES = Settings.model_fields["max_body_bytes"].default
HTML_TYPE = b"\r\nContent-Type: text/html"


@dataclass
class Case:
    """One request, and the code of the problem that it must get, or None where it is answered."""

    name: str
    code: str | None
    content: bytes | Callable[[], bytes]
    headers: dict[str, str] = field(default_factory=lambda: dict(JSON_TYPE))

    @property
    def body(self) -> bytes:
        """A large one is made when it is asked for: all of them would fill the memory."""
        return self.content if isinstance(self.content, bytes) else self.content()


def in_json(name: str, code: str | None, image: str) -> Case:
    return Case(name, code, json.dumps({"image": image}, ensure_ascii=False).encode())


def in_multipart(name: str, code: str | None, *parts: bytes, tail: bytes | None = None) -> Case:
    body = multipart_body(*parts) if tail is None else b"".join(parts) + tail
    return Case(name, code, body, dict(MULTIPART_TYPE))


def as_file(name: str, code: str | None, data: bytes) -> Case:
    return in_multipart(name, code, part(data, f'form-data; name="file"; filename="{MARK}.png"'))


def after_the_parts(name: str, code: str | None, count: int) -> Case:
    tail = f"--{BOUNDARY}--\r\n".encode() + b"a" * count
    return in_multipart(name, code, part(PNG), tail=tail)


def named_file(name: str, code: str | None, file_name: str) -> Case:
    return in_multipart(name, code, part(PNG, f'form-data; name="file"; {file_name}'))


BASE64_CASES = [
    in_json("blank inside", None, TEXT[:20] + " " + TEXT[20:]),
    in_json("blank at the end", None, TEXT + " "),
    in_json("newline inside", None, TEXT[:76] + "\n" + TEXT[76:]),
    in_json("asterisk", "invalid_base64", "*" + TEXT),
    in_json("no padding, of a text", "unsupported_format", "aGk"),
    in_json("no padding", None, UNPADDED),
    in_json("wrapped as in a mail", None, WRAPPED),
    in_json("wrapped, after a prefix", None, "data:image/png;base64,\r\n" + WRAPPED),
    in_json("only padding", "invalid_base64", "===="),
    in_json("too much padding", "invalid_base64", "aGk=="),
    in_json("two texts in a row", "invalid_base64", "aGk=" + TEXT),
    in_json("url-safe alphabet", "invalid_base64", "-_-_"),
    in_json("data URI of text", "invalid_base64", "data:text/html;base64," + TEXT),
    in_json("data URI that says SVG", None, "data:image/svg+xml;base64," + TEXT),
    in_json("data URI with a parameter", None, "data:image/png;a=b;base64," + TEXT),
    in_json("data URI in capitals", None, "DATA:image/png;base64," + TEXT),
    in_json("data URI with two commas", "invalid_base64", "data:image/png;base64,," + TEXT),
    in_json("data URI twice", "invalid_base64", 2 * "data:image/png;base64," + TEXT),
    in_json("blank before the data URI", None, " data:image/png;base64," + TEXT),
    in_json("data URI of image/jpg", None, "data:image/jpg;base64," + TEXT),
    in_json("data URI of bytes", None, "data:application/octet-stream;base64," + TEXT),
    in_json("data URI without base64", "invalid_base64", "data:image/png,%89PNG"),
    in_json("percent-encoded", "invalid_base64", TEXT.replace("=", "%3D") + "%3D"),
    in_json("NUL", "invalid_base64", TEXT + "\0"),
    in_json("Cyrillic", "invalid_base64", "буква"),
    in_json("full-width letters", "invalid_base64", "ａＧｋ＝"),
    in_json("an address", "invalid_base64", f"http://127.0.0.1/{MARK}"),
    in_json("empty text", "missing_image", ""),
    in_json("data URI of nothing", "missing_image", "data:image/png;base64,"),
    Case("a byte over the limit", "file_too_large", lambda: json_body(bytes(MAX_IMAGE_BYTES + 1))),
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
    Case("depth of 5,000", "malformed_json", b"[" * 5000),
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
    in_multipart(
        "9 headers", None, part(PNG).replace(b"\r\n\r\n", b"\r\nX: y" * 7 + b"\r\n\r\n", 1)
    ),
    # The name and the type that the caller gives to a file are never used.
    named_file("file name that climbs", None, 'filename="../../caller-wrote-this"'),
    named_file("file name in another coding", None, "filename*=utf-8''%D0%B1.png; filename=a"),
    named_file("file name in another coding only", "malformed_multipart", "filename*=utf-8''b.png"),
    named_file("NUL in the file name", None, 'filename="a\0.png"'),
    in_multipart(
        "wrong type of the file", None, part(PNG).replace(b"\r\n\r\n", HTML_TYPE + b"\r\n\r\n", 1)
    ),
    in_multipart("1 MB before the first part", "malformed_multipart", b"a" * MIB, part(PNG)),
    as_file("empty file", "missing_image", b""),
    Case(
        "a byte over the limit",
        "file_too_large",
        lambda: as_file("", None, bytes(MAX_IMAGE_BYTES + 1)).body,
        dict(MULTIPART_TYPE),
    ),
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
    Case("PNG called a GIF", None, PNG, {"content-type": "image/gif"}),
    Case("PNG called image/jpg", None, PNG, {"content-type": "image/jpg"}),
    Case("PNG called image/x-png", None, PNG, {"content-type": "image/x-png"}),
    Case("bytes", None, PNG, {"content-type": "application/octet-stream"}),
    Case(
        "text called bytes",
        "unsupported_format",
        b"text",
        {"content-type": "application/octet-stream"},
    ),
    Case("raw text", "unsupported_format", b"text", {"content-type": "image/png"}),
    Case("raw nothing", "missing_image", b"", {"content-type": "image/png"}),
    Case(
        "raw, too large",
        "file_too_large",
        lambda: PNG.ljust(MAX_IMAGE_BYTES + 1),
        {"content-type": "image/png"},
    ),
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
    Case("a byte over the limit", "body_too_large", lambda: b" " * (MAX_BODY_BYTES + 1)),
    Case("100 MB", "body_too_large", lambda: b" " * 100_000_000),
    Case(
        "base64 of a byte over the limit",
        "body_too_large",
        lambda: in_json("", None, "a" * (MAX_BODY_BYTES + 1)).body,
    ),
    after_the_parts("1 MB after the last part", None, MIB),
    Case(
        "more than the limit after the last part",
        "body_too_large",
        lambda: after_the_parts("", None, MAX_BODY_BYTES).body,
        dict(MULTIPART_TYPE),
    ),
]

GROUPS = {
    "base64": BASE64_CASES,
    "JSON": JSON_CASES,
    "multipart": MULTIPART_CASES,
    "type": TYPE_CASES,
    "size": SIZE_CASES,
}


def bad_requests() -> Iterator[tuple[str, Case]]:
    """Each with its group."""
    for group, cases in GROUPS.items():
        yield from ((group, case) for case in cases)
