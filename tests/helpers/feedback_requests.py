"""Corrections to give, and a look at what became of them."""

import contextlib
import json
import uuid
from pathlib import Path
from threading import Timer

import httpx
from serving_requests import base64_text, draw, encode
from serving_servers import Server

KEY = "0123456789abcdef-test"


def correction(symbol="Г", image=None, **fields):
    data = encode(draw()) if image is None else image
    return {"image": base64_text(data), "symbol": symbol, "consent": True, **fields}


def give(server: Server, body=None, key=KEY, **headers):
    sent = {"Idempotency-Key": key, **headers}
    return server.http.post("/v1/feedback", json=body or correction(), headers=sent)


def give_several(server: Server, number: int) -> list[str]:
    """The ids of different corrections, which were all acknowledged."""
    answers = [give(server, key=uuid.uuid4().hex) for _ in range(number)]
    assert {answer.status_code for answer in answers} == {201}
    return sorted(answer.json()["id"] for answer in answers)


def give_until_killed(server: Server, killer: Timer) -> list[str]:
    """Ids that were acknowledged before the service was killed."""
    acknowledged = []
    killer.start()
    with contextlib.suppress(httpx.TransportError):
        while True:
            answer = give(server, key=uuid.uuid4().hex)
            assert answer.status_code == 201
            acknowledged.append(answer.json()["id"])
    return acknowledged


def stored(folder: Path) -> list[dict]:
    """The corrections right in a folder; each must be whole."""
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
