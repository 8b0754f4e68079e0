"""Golden samples: images with the answers that were given when a model was packaged."""

import base64
import json
from collections.abc import Sequence
from typing import Any, Protocol

from bukva.errors import ParityError


class Answering(Protocol):
    """What answers encoded images: a recogniser, or who has one."""

    def answer(self, images: Sequence[bytes]) -> list[Any]:
        """Return an answer for each, in their order."""


def write_golden(reader: Answering, images: Sequence[bytes], field: str) -> bytes:
    """Return encoded images with one field of the answers for them, as a JSON file."""
    rows = [
        {"image": base64.b64encode(image).decode(), field: getattr(answer, field)}
        for image, answer in zip(images, reader.answer(images), strict=True)
    ]
    return json.dumps(rows).encode()


def check_golden(reader: Answering, content: bytes, field: str) -> None:
    """Return if a model answers its golden samples as it did when it was packaged.

    Raises:
        ParityError: If not.
    """
    rows = json.loads(content)
    answers = reader.answer([base64.b64decode(row["image"]) for row in rows])
    pairs = zip(rows, answers, strict=True)
    if others := sum(row[field] != getattr(answer, field) for row, answer in pairs):
        message = f"Expected the answers of {len(rows)} golden samples, got {others} others."
        raise ParityError(f"{message} The files of the model do not belong together.")
