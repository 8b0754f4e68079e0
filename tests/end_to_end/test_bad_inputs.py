"""Every kind of bad input, sent to the real service with the released model."""

import base64
import json
from pathlib import Path

import pytest
from bad_images import BAD_IMAGES, TAIL, plain, zipped
from bad_input_kinds import BadInput, bad_inputs, find_faults
from serving_requests import base64_text
from serving_servers import Server

pytestmark = pytest.mark.timeout(900)

KINDS = [pytest.param(kind, id=f"{kind.group}: {kind.name}") for kind in bad_inputs()]


@pytest.mark.parametrize("kind", KINDS)
def test_bad_input_is_answered_as_listed(released_server: Server, kind: BadInput) -> None:
    twin = kind.send_twin(released_server.http) if kind.send_twin else None
    assert find_faults(kind.send(released_server.http), kind, twin) == []


def test_all_kinds_are_there_and_none_twice() -> None:
    names = {(image.group, image.name) for image in BAD_IMAGES}
    assert len(names) == len(BAD_IMAGES) == 77
    assert len(KINDS) >= 138


def test_the_plain_drawing_is_read(released_server: Server) -> None:
    """Otherwise its odd twins would prove little."""
    answer = released_server.http.post("/v1/predict", files={"file": ("a.png", plain())}).json()
    assert answer["symbol"] == "Ґ"
    assert 0.7 < answer["confidence"] < 0.97  # a small change of the picture would move it


@pytest.mark.parametrize("tail", [TAIL, zipped()], ids=["HTML", "zip"])
def test_what_is_kept_of_a_polyglot_is_the_picture_alone(
    released_server: Server, released_folder: Path, tail: bytes
) -> None:
    body = {"image": base64_text(plain() + tail), "symbol": "Ґ", "consent": True}
    headers = {"Idempotency-Key": f"polyglot-of-{len(tail):08}"}
    given = released_server.http.post("/v1/feedback", json=body, headers=headers)
    assert given.status_code == 201
    [record] = (released_folder / "feedback").glob(f"{given.json()['id']}.json")
    stored = base64.b64decode(json.loads(record.read_text())["image"])
    assert stored.endswith(b"IEND\xaeB`\x82")
    assert tail not in stored
