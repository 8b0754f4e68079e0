"""What is asked, and what the right answer is: all 76 symbols as the page sends them."""

import base64
import io
import json
import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from bukva.tasks.glyph.embedded import draw_letters_and_digits
from load.generator import HOST, Request

Answer = Mapping[str, Any]
# Between two ways to run one network. Versions that are compared differ by ten times that.
TOLERANCE = 1e-3
SIDE_PX = 200
_BOUNDARY = "bukva-load"


def draw_pages() -> list[bytes]:
    """Grey PNG files of 200 x 200 pixels: one of each symbol, in the order of `SYMBOLS`."""
    pages = draw_letters_and_digits(samples_per_symbol=1, seed=11)
    return [_encode(_enlarge(page.image)) for page in pages]


def _enlarge(page_HW: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(page_HW).resize((SIDE_PX, SIDE_PX), Image.Resampling.BICUBIC))


def _encode(page_HW: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(page_HW).save(buffer, "PNG")
    return buffer.getvalue()


def numbers_of(answer: Answer) -> list[float]:
    """The probabilities in an answer, by which versions are told apart."""
    numbers = [answer["symbol_confidence"], answer["confidence"] or 0.0]
    return numbers + [item["probability"] for item in answer["alternatives"]]


def compare(answer: Answer, expected: Answer) -> str:
    """Says how an answer differs from what was expected; "" if it does not."""
    if answer["symbol"] != expected["symbol"]:
        return f"read {answer['symbol']!r}, expected {expected['symbol']!r}"
    found, wanted = numbers_of(answer), numbers_of(expected)
    if len(found) != len(wanted) or not np.allclose(found, wanted, rtol=0, atol=TOLERANCE):
        return "other probabilities than expected"
    return ""


def ask_service(
    image: bytes,
    expected: Mapping[str, Answer],
    *,
    may_refuse: bool = False,
    answered_by: set[str] | None = None,
) -> Request:
    """A request to the service, the image as the body, as the page sends it.

    Args:
        image: An image file.
        expected: The right answer of each version of the model that may answer.
        may_refuse: Whether 503 with the code `overloaded` is an answer too.
        answered_by: Where the versions that answer are gathered.
    """

    def check(status: int, body: bytes) -> str:
        if may_refuse and _say(status, body) == "503 overloaded":
            return ""
        if status != 200:
            return _say(status, body)
        answer = json.loads(body)
        version = answer["model"]["version"]
        if answered_by is not None:
            answered_by.add(version)
        if version not in expected:
            return f"version {version} answered, which must not be served"
        return compare(answer, expected[version])

    return Request("good", _post("/v1/predict", "image/png", image), check)


def ask_peer(image: bytes, expected: Answer) -> Request:
    """A request to the endpoint of the peer's shape: a multipart body."""

    def check(status: int, body: bytes) -> str:
        return compare(json.loads(body), expected) if status == 200 else _say(status, body)

    return Request("peer", _post("/predict", *_as_multipart(image)), check)


def ask_mlflow(image: bytes, expected: Answer) -> Request:
    """A request to `mlflow models serve`: a table of one row in JSON, the bytes as base64."""

    def check(status: int, body: bytes) -> str:
        if status != 200:
            return _say(status, body)
        return compare(json.loads(body)["predictions"][0], expected)

    table = {"columns": ["image"], "data": [[base64.b64encode(image).decode("ascii")]]}
    body = json.dumps({"dataframe_split": table}).encode()
    return Request("mlflow", _post("/invocations", "application/json", body), check)


def ask_badly() -> list[Request]:
    """Requests that must be refused, each with its own status."""
    good = draw_pages()[0]
    buffer = io.BytesIO()
    Image.new("L", (20, 20), 255).save(buffer, "GIF")
    files = {
        "text": (b"not an image " * 50, 415),
        "a GIF": (buffer.getvalue(), 415),
        "no byte": (b"", 400),
        "cut in half": (good[: len(good) // 2], 422),
        "a bomb of 60,000 x 60,000 px": (_bomb(60_000, 60_000), 422),
        "a bomb of 13,000 x 13,000 px": (_bomb(13_000, 13_000), 422),
        "a blank page": (_encode(np.full((200, 200), 255, np.uint8)), 422),
    }
    bodies = {
        "half of JSON": (b'{"image": "', 400),
        "no base64": (b'{"image": "iVBO*Rw0K"}', 400),
    }
    return [
        _expect(name, _post("/v1/predict", *_as_multipart(file)), status)
        for name, (file, status) in files.items()
    ] + [
        _expect(name, _post("/v1/predict", "application/json", body), status)
        for name, (body, status) in bodies.items()
    ]


def correct(image: bytes, symbol: str, key: str, stored: set[str]) -> Request:
    """A correction, kept once for each key; its id is put among those that are `stored`."""
    text = base64.b64encode(image).decode("ascii")
    form = json.dumps({"image": text, "symbol": symbol, "consent": True}).encode()

    def check(status: int, body: bytes) -> str:
        if status != 201:
            return _say(status, body)
        stored.add(json.loads(body)["id"])
        return ""

    headers = [f"Idempotency-Key: {key}"]
    return Request("feedback", _post("/v1/feedback", "application/json", form, headers), check)


def mix(*parts: tuple[Sequence[Request], int]) -> list[Request]:
    """Requests in a fixed order, each part with its share in percent, well spread."""
    places = np.random.default_rng(0).permutation(100 * len(parts[0][0]))
    shares = np.cumsum([share for _, share in parts])
    chosen = [parts[int(np.searchsorted(shares, place % 100, side="right"))][0] for place in places]
    return [part[index % len(part)] for index, part in enumerate(chosen)]


def _expect(name: str, payload: bytes, wanted: int) -> Request:
    def check(status: int, body: bytes) -> str:
        return "" if status == wanted else f"{name}: expected {wanted}, got {_say(status, body)}"

    return Request("bad", payload, check)


def _say(status: int, body: bytes) -> str:
    try:
        return f"{status} {json.loads(body)['code']}"
    except (ValueError, KeyError, TypeError):
        return str(status)


def _post(path: str, media_type: str, body: bytes, headers: Iterable[str] = ()) -> bytes:
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: {HOST}",
        f"Content-Type: {media_type}",
        f"Content-Length: {len(body)}",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body


def _as_multipart(image: bytes) -> tuple[str, bytes]:
    head = (
        f"--{_BOUNDARY}\r\n"
        'Content-Disposition: form-data; name="file"; filename="drawing.png"\r\n'
        "Content-Type: image/png\r\n\r\n"
    )
    body = head.encode("ascii") + image + f"\r\n--{_BOUNDARY}--\r\n".encode("ascii")
    return f"multipart/form-data; boundary={_BOUNDARY}", body


def _bomb(width: int, height: int) -> bytes:
    """A small PNG file that announces many pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(name + data)
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(1_000_000), 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )
