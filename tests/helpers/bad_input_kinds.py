"""Every kind of bad input, one way to send it, and what is wrong with the answer."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import httpx
from bad_http import BAD_HTTP, send_raw
from bad_images import BAD_IMAGES, BadImage
from bad_requests import MARK, Case, bad_requests
from serving_requests import MULTIPART_TYPE, multipart_body, part

from bukva.serving.problems import KINDS

MAX_PROBLEM_BYTES = 1024
MAX_SHIFT = 0.02


class Answer(NamedTuple):
    """What came back; a body that is not JSON has no fields."""

    status: int
    body: bytes
    seconds: float

    @property
    def fields(self) -> dict[str, Any]:
        try:
            return json.loads(self.body)
        except ValueError:
            return {}


@dataclass(frozen=True)
class BadInput:
    """One kind.

    Attributes:
        group: As the kinds are counted.
        name: Unique within its group.
        status: That it gets.
        send: Sends it.
        code: Of the problem that it gets; None where it gets none, or none in JSON.
        send_twin: Sends the plain image of which the same must be read.
    """

    group: str
    name: str
    status: int
    send: Callable[[httpx.Client], Answer]
    code: str | None = None
    send_twin: Callable[[httpx.Client], Answer] | None = None


def bad_inputs() -> Iterator[BadInput]:
    yield from map(_from_image, BAD_IMAGES)
    for group, case in bad_requests():
        send = partial(_post_case, case=case)
        yield BadInput(group, case.name, _status(case), send, case.code)
    for kind in BAD_HTTP:
        yield BadInput(
            "HTTP", kind.name, kind.status, partial(_send_raw, data=kind.data), kind.code
        )


def find_faults(answer: Answer, kind: BadInput, twin: Answer | None) -> list[str]:
    """What is not as listed; `twin` is the answer to the plain image, where there is one."""
    faults = []
    if (answer.status, answer.fields.get("code")) != (kind.status, kind.code):
        faults.append(f"expected {kind.status} {kind.code}, got {answer.status} {answer.body!r}")
    elif answer.status >= 400 and len(answer.body) >= MAX_PROBLEM_BYTES:
        faults.append(f"expected a short problem, got {len(answer.body)} bytes")
    elif twin is not None:
        faults.extend(_find_differences(answer.fields, twin.fields))
    if MARK.encode() in answer.body:
        faults.append("expected nothing of what the caller wrote, got it back")
    return faults


def _find_differences(found: dict[str, Any], expected: dict[str, Any]) -> Iterator[str]:
    if found["symbol"] != expected["symbol"]:
        yield f"expected {expected['symbol']} as in its twin, got {found['symbol']}"
    for name in ("confidence", "symbol_confidence"):
        if abs(found[name] - expected[name]) > MAX_SHIFT:
            yield f"expected {name} {expected[name]} as of its twin, got {found[name]}"


def _from_image(image: BadImage) -> BadInput:
    send_twin = None if image.twin is None else partial(_post_file, make=image.twin)
    send = partial(_post_file, make=image.make)
    return BadInput(
        f"image: {image.group}", image.name, _status(image), send, image.code, send_twin
    )


def _status(kind: BadImage | Case) -> int:
    return 200 if kind.code is None else KINDS[kind.code].status


def _post_file(http: httpx.Client, make: Callable[[], bytes]) -> Answer:
    return _post(http, multipart_body(part(make())), MULTIPART_TYPE)


def _post_case(http: httpx.Client, case: Case) -> Answer:
    return _post(http, case.body, case.headers)


def _post(http: httpx.Client, body: bytes, headers: dict[str, str]) -> Answer:
    started_s = time.perf_counter()
    response = http.post("/v1/predict", content=body, headers=headers)
    return Answer(response.status_code, response.content, time.perf_counter() - started_s)


def _send_raw(http: httpx.Client, data: bytes) -> Answer:
    started_s = time.perf_counter()
    status, body = send_raw(http.base_url, data)
    return Answer(status, body, time.perf_counter() - started_s)
