"""A stored correction, one JSON object: the service writes it, pipelines read it.

Its file is called `<id>.json`, in the folder of the service or, below the place that corrections
are delivered to, in the folder of its day. Beside those the service keeps `STATE_FOLDERS`. Those of
all tasks lie beside each other.
"""

import base64
import binascii
import hashlib
import io
import json
from datetime import UTC
from typing import Any, ClassVar, Final, Self

from PIL import Image
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from bukva.core.imaging.decoding import decode_image
from bukva.errors import CorrectionError

FEEDBACK: Final = "feedback"
"""Name of the corpus that they are in training."""

MAX_FILE_BYTES: Final = 32 * 1024 * 1024  # former versions stored all pixels of an image

# A drawing takes some tenth of a bit a pixel as a PNG file, the noise of a photo ten bits.
_DRAWING_BITS_PER_PIXEL = 2
_SMALL_BYTES = 4096  # no file takes less room on a disk
_QUALITIES = (80, 60, 40)
_JPEG = b"\xff\xd8\xff"

DELETED: Final = "deleted"
"""Folder with receipts of what is still to be deleted where it was delivered."""

STATE_FOLDERS: Final = frozenset({"sent", "dead", DELETED})
"""Receipts of what was delivered, what cannot be delivered, what is to be deleted."""


class Respondent(BaseModel):
    """The model that answered. Not the service's own class: what is stored outlives its API."""

    model_config = ConfigDict(frozen=True)

    name: str
    version: str
    alias: str


class StoredCorrection(BaseModel):
    """What somebody says that an image shows; without the image, the receipt of one.

    Attributes:
        said: Name of the field with what the image shows.
        id: Made of the caller's key; names the file.
        sha256: Of what the image shows, and the image.
        created: When it was given.
        answer: What the service had answered, if it was asked.
        model: Which model answers where it was given.
        client: Who gave it, as far as that is kept: the name of an API key, or a keyed hash of an
            address. None in those of services without such a key, and in receipts.
        image: A PNG or WebP file as base64.
    """

    model_config = ConfigDict(frozen=True)

    said: ClassVar[str]

    id: str = Field(pattern=r"^[0-9a-f]{32}$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    created: AwareDatetime
    answer: str | None
    model: Respondent | None
    client: str | None = Field(None, max_length=64)
    image: str | None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        said = getattr(self, self.said)
        if self.image is not None and self.sha256 != self.digest(said, self.image):
            raise ValueError(f"Expected the sha256 of {self.said} and image.")
        return self

    @classmethod
    def digest(cls, said: str, image: str) -> str:
        """Return the sha256 by which two corrections are known to say the same."""
        return hashlib.sha256(json.dumps({cls.said: said, "image": image}).encode()).hexdigest()

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Make sense of the bytes of a correction or a receipt.

        Raises:
            CorrectionError: If they are anything else; says what is wrong, not what is in it.
        """
        try:
            return cls.model_validate_json(data)
        except ValidationError as error:
            faults = [
                ": ".join([*map(str, fault["loc"]), fault["msg"]])
                for fault in error.errors(include_input=False, include_context=False)
            ]
            message = f"Expected a stored correction. {'; '.join(faults)}"
            raise CorrectionError(message) from None

    @property
    def place(self) -> str:
        """Its path below the folder or bucket that it is delivered to."""
        return f"{self.created.astimezone(UTC):%Y/%m/%d}/{self.id}.json"

    @property
    def receipt(self) -> Self:
        """The same without its image, and without who gave it."""
        return self.model_copy(update={"image": None, "client": None})

    def write(self) -> bytes:
        """Return its bytes; the same correction gives the same ones."""
        return self.model_dump_json().encode()

    def read_image(self) -> bytes:
        """Return the image file.

        Raises:
            CorrectionError: If it is a receipt, or the image is no base64.
        """
        if self.image is None:
            raise CorrectionError("Expected a correction with its image, got the receipt of one.")
        try:
            return base64.b64decode(self.image, validate=True)
        except binascii.Error:
            raise CorrectionError("Expected the image as base64, got something else.") from None


def find_task(data: bytes) -> str:
    """Return the task that a stored correction is of; those that do not say so are of glyphs."""
    try:
        return _Head.model_validate_json(data).task
    except ValidationError:
        return _Head().task


class _Head(BaseModel):
    task: str = "glyph"


def compress_image(encoded: bytes, drawing_px: int, photo_px: int) -> bytes:
    """Return the file that is stored of an image: its pixels and nothing else.

    A drawing comes back pixel by pixel. A photo is stored with losses, and in no more bytes than it
    came in unless it was of very low quality.

    Args:
        encoded: The image file.
        drawing_px: Longest side of a drawing; a larger one is made smaller.
        photo_px: Likewise of a photo.

    Raises:
        ImageError: As `decode_image` does.
    """
    picture = Image.fromarray(decode_image(encoded))
    drawing = picture.copy()
    drawing.thumbnail((drawing_px, drawing_px))
    exact = _write(drawing, "PNG")
    drawing_bytes = drawing.width * drawing.height * _DRAWING_BITS_PER_PIXEL // 8
    is_jpeg = encoded.startswith(_JPEG)
    if not is_jpeg and len(exact) <= max(_SMALL_BYTES, drawing_bytes):
        return exact
    picture.thumbnail((photo_px, photo_px))
    for quality in _QUALITIES:
        lossy = _write(picture, "WEBP", quality=quality)
        if len(lossy) <= len(encoded):
            break
    return min(exact, lossy, key=len)


def _write(picture: Image.Image, image_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, image_format, **options)
    return buffer.getvalue()
