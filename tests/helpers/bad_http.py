"""Bad HTTP, as bytes: what no client library would send, and the status that it gets."""

import socket
from dataclasses import dataclass
from http.client import HTTPResponse

from httpx import URL
from serving_requests import draw, encode, json_body

BODY = json_body(encode(draw()))
RANGES = ",".join(f"{start}-{start + 1}" for start in range(0, 2000, 2))


@dataclass(frozen=True)
class BadHttp:
    """One kind; `data` is all that the client sends; not all that is refused gets a code."""

    name: str
    status: int
    data: bytes
    code: str | None = None


def request(*lines: str, first: str = "POST /v1/predict HTTP/1.1", body: bytes = b"") -> bytes:
    return "\r\n".join([first, *lines, "", ""]).encode() + body


def post(*lines: str, body: bytes = b"") -> bytes:
    return request("Host: a", "Content-Type: application/json", *lines, body=body)


def length(more: int = 0) -> str:
    return f"Content-Length: {len(BODY) + more}"


BAD_HTTP = [
    BadHttp("length that promises more", 408, post(length(+10), body=BODY), "body_timeout"),
    BadHttp("length that promises less", 400, post(length(-10), body=BODY)),
    BadHttp("negative length", 400, post("Content-Length: -1", body=BODY)),
    BadHttp("two lengths", 400, post(length(), length(+1), body=BODY)),
    BadHttp("length and chunks", 400, post(length(), "Transfer-Encoding: chunked", body=BODY)),
    BadHttp("size of a chunk overflows", 400,
            post("Transfer-Encoding: chunked", body=b"f" * 18 + b"\r\n" + BODY)),
    BadHttp("length in Arabic digits", 400, post("Content-Length: ٣", body=BODY)),
    BadHttp("blank in the name of a header", 400, post("A B: c", length(), body=BODY)),
    BadHttp("header of 70 KB", 400, post("X: " + "a" * 70_000, length(), body=BODY)),
    BadHttp("no Host", 400, request("Content-Type: application/json", length(), body=BODY)),
    BadHttp("two Hosts", 400, post("Host: b.test", length(), body=BODY)),
    BadHttp("another Host", 200, post(length(), body=BODY).replace(b"Host: a", b"Host: b.test")),
    BadHttp("TRACE", 405, request("Host: a", first="TRACE /v1/predict HTTP/1.1"),
            "method_not_allowed"),
    BadHttp("address with a host", 200,
            post(length(), body=BODY).replace(b"/v1", b"http://b.test/v1", 1)),
    BadHttp("path that climbs", 404, request("Host: a", first="GET /page/%2e%2e/app.py HTTP/1.1"),
            "not_found"),
    BadHttp("header of 65 KB without an end", 400, b"GET / HTTP/1.1\r\nX: " + b"a" * 66_000),
    # More ranges than Starlette looks at: they are passed over, as RFC 9110 allows.
    BadHttp("1000 ranges", 200,
            request("Host: a", f"Range: bytes={RANGES}", first="GET /page/style.css HTTP/1.1")),
    BadHttp("range beyond the end", 416,
            request("Host: a", "Range: bytes=9999999-", first="GET /page/style.css HTTP/1.1")),
    BadHttp("header that does not end", 408, b"POST /v1/predict HTTP/1.1\r\nHost: a\r\nX: "),
    BadHttp("body that does not end", 408, post(length(), body=BODY[:10]), "body_timeout"),
]  # fmt: skip


def send_raw(url: URL, data: bytes, timeout_s: float = 15.0) -> tuple[int, bytes]:
    """Status and body of the answer to bytes that no HTTP client would send."""
    with socket.create_connection((url.host, url.port), timeout=timeout_s) as raw:
        raw.sendall(data)
        response = HTTPResponse(raw)
        response.begin()
        return response.status, response.read()
