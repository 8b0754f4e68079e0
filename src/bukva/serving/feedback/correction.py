"""A correction as it is stored: one JSON object, the same in the spool and where it goes."""

import base64
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from bukva.serving.pixels import decode, encode
from bukva.serving.schemas import FeedbackRequest, ServedModel

_MAX_FILE_BYTES = 32 * 1024 * 1024  # four times what the largest image comes to


class Correction(BaseModel):
    """What somebody says that an image shows; without the image, the receipt of one."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(pattern=r"^[0-9a-f]{32}$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    created: AwareDatetime
    answer: str | None
    model: ServedModel | None
    symbol: str
    image: str | None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.image is not None and self.sha256 != _digest(self.symbol, self.image):
            raise ValueError("Expected the sha256 of symbol and image.")
        return self

    @property
    def place(self) -> str:
        """Its path below the folder or bucket that it is delivered to."""
        return f"{self.created.astimezone(UTC):%Y/%m/%d}/{self.id}.json"

    @property
    def receipt(self) -> "Correction":
        """The same without its image."""
        return self.model_copy(update={"image": None})

    def write(self) -> bytes:
        """Its bytes; the same correction gives the same ones."""
        return self.model_dump_json().encode()


def make_correction(
    key: str, request: FeedbackRequest, image: bytes, model: ServedModel | None
) -> Correction:
    """Makes a correction of a request; its image is made anew from the pixels.

    Raises:
        RequestError: As `decode` does.
    """
    picture = base64.b64encode(encode(decode(image))).decode("ascii")
    return Correction(
        id=hashlib.sha256(key.encode()).hexdigest()[:32],
        sha256=_digest(request.symbol, picture),
        created=datetime.now(UTC).replace(microsecond=0),
        answer=request.answer,
        model=model,
        symbol=request.symbol,
        image=picture,
    )


def read_correction(path: Path) -> Correction | None:
    """Reads a correction or a receipt; None if the file is anything else.

    Raises:
        OSError: If it cannot be read.
    """
    return None if path.stat().st_size > _MAX_FILE_BYTES else parse_correction(path.read_bytes())


def parse_correction(data: bytes) -> Correction | None:
    """Makes sense of the bytes of a correction or a receipt; None if they are anything else."""
    try:
        return Correction.model_validate_json(data)
    except ValueError:
        return None


def _digest(symbol: str, image: str) -> str:
    return hashlib.sha256(json.dumps({"symbol": symbol, "image": image}).encode()).hexdigest()
