"""From the body of a request to the bytes of one image, in any of the three forms.

The parsers are strict: whatever is ambiguous (two files, a key twice, a NaN, odd base64)
is refused rather than guessed at. The bytes are not looked into: that is the model's work, and
they decide what they are, whatever a caller calls their type.
"""

import asyncio
import binascii
import io
import json
import re
from collections.abc import Awaitable, Iterable
from typing import Any, NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ValidationError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from bukva.errors import RequestError
from bukva.serving.schemas import BatchRequest, FeedbackRequest, LineFeedbackRequest, PredictRequest
from bukva.serving.settings import Settings
from bukva.tasks.glyph.answer import Source


def encode(pixels: NDArray[np.uint8], compress_level: int = 6) -> bytes:
    """Return pixels, grey or RGB, as a PNG file, which holds nothing else."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=compress_level)
    return buffer.getvalue()


# Of any image: programs write image/jpg and worse, and the bytes say what they are.
_DATA_URI_PREFIX = re.compile(
    r"\s*data:(image/[\w.+-]+|application/octet-stream)(;[\w.=-]+)*;base64,", re.IGNORECASE
)
_JSON_FIELDS: dict[type[BaseModel], str] = {
    PredictRequest: "Expected an object with the one field `image`: a base64 text.",
    BatchRequest: "Expected an object with the field `images`, 1 to 64 base64 texts, and perhaps "
    "`source`: `drawing` or `photo`.",
    FeedbackRequest: "Expected an object with `image` (a base64 text), `symbol` (one of the 76), "
    "`consent` (true) and, where there was one, `answer`, and perhaps `source`.",
    LineFeedbackRequest: "Expected an object with `image` (a base64 text), `text` (one line of at "
    "most 300 characters), `consent` (true) and, where there was one, `answer`.",
}

Form = TypeVar("Form", bound=BaseModel)
ImageForm = TypeVar("ImageForm", bound=PredictRequest)
Body = TypeVar("Body")
_FILE_PART = "Expected one file part named `file`, with a file name, and no other part."


def describe_json(form: type[BaseModel]) -> dict[str, Any]:
    """The OpenAPI entry of a body in JSON: routes read theirs by themselves, to be strict."""
    schema = form.model_json_schema()
    content = {"application/json": {"schema": _inline(schema, schema.pop("$defs", {}))}}
    return {"requestBody": {"required": True, "content": content}}


def describe_file(media_types: Iterable[str], described: str) -> dict[str, Any]:
    """The OpenAPI content of a body that is a file, or a form with one."""
    file = {"type": "string", "format": "binary"}
    form = {
        "type": "object",
        "required": ["file"],
        "additionalProperties": False,
        "properties": {"file": {**file, "description": described}},
    }
    whole = {media_type: {"schema": file} for media_type in media_types}
    return {"multipart/form-data": {"schema": form}, **whole}


def _inline(schema: Any, parts: dict[str, Any]) -> Any:
    """A schema with its parts in their places: OpenAPI would look for them elsewhere."""
    if isinstance(schema, list):
        return [_inline(each, parts) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inline(parts[schema["$ref"].rpartition("/")[2]], parts)
    return {name: _inline(value, parts) for name, value in schema.items()}


async def read_image(request: Request, settings: Settings) -> bytes:
    """The encoded image that `request` carries: between 1 and `max_image_bytes` bytes.

    Raises:
        RequestError: If the body is of another type, malformed, too large or too slow.
    """
    return check_size(await _in_time(_read_any(request, settings), settings), settings)


async def read_file(request: Request, settings: Settings, *, takes_pdf: bool = False) -> bytes:
    """The file that `request` carries, as its body or in a multipart form; not in JSON.

    To read a large text of base64 would hold up everybody.

    Args:
        request: With a body.
        settings: How large and how slow it may be.
        takes_pdf: Whether it may be called a PDF.

    Raises:
        RequestError: As `read_image` does.
    """
    media_type = _media_type(request)
    if media_type == "multipart/form-data":
        read = _read_multipart(request, settings.max_body_bytes)
    elif _is_file(media_type) or (takes_pdf and media_type == "application/pdf"):
        read = request.body()
    else:
        raise RequestError(
            "unsupported_media_type",
            f"Expected image/png (or jpeg, webp, tiff), {'application/pdf, ' * takes_pdf}or "
            "multipart/form-data, without a content encoding.",
        )
    return check_size(await _in_time(read, settings), settings)


async def read_body(request: Request, settings: Settings) -> bytes:
    """The body as it is sent, if it comes in time."""
    return await _in_time(request.body(), settings)


async def read_feedback(
    request: Request, kind: type[ImageForm], settings: Settings
) -> tuple[ImageForm, bytes]:
    """The correction that `request` carries as JSON, and its encoded image.

    Raises:
        RequestError: As `read_image` does.
    """
    form = await _read_json(request, kind, settings)
    return form, check_size(decode_base64(form.image), settings)


async def read_batch(request: Request, settings: Settings) -> tuple[list[bytes], Source | None]:
    """The encoded images that `request` carries as JSON, and where they come from.

    Raises:
        RequestError: As `read_image` does.
    """
    form = await _read_json(request, BatchRequest, settings)
    images = [check_size(decode_base64(image), settings) for image in form.images]
    return images, form.source


async def _read_json(request: Request, form: type[Form], settings: Settings) -> Form:
    if _media_type(request) != "application/json":
        raise RequestError("unsupported_media_type", "Expected application/json.")
    return parse_json(await read_body(request, settings), form, _JSON_FIELDS[form])


async def _in_time(body: Awaitable[Body], settings: Settings) -> Body:
    try:
        async with asyncio.timeout(settings.body_timeout_s):
            return await body
    except TimeoutError:
        detail = f"Expected the whole body within {settings.body_timeout_s} seconds."
        raise RequestError("body_timeout", detail) from None


def check_size(image: bytes, settings: Settings) -> bytes:
    """The same encoded image.

    Raises:
        RequestError: `missing_image` if it has no bytes, `file_too_large` if it has too many.
    """
    if not image:
        raise RequestError("missing_image", "Expected an image file, got 0 bytes.")
    if len(image) > settings.max_image_bytes:
        detail = (
            f"Expected at most {settings.max_image_bytes} bytes, got {len(image)}. Send it as "
            "JPEG, or scale it down."
        )
        raise RequestError("file_too_large", detail)
    return image


async def _read_any(request: Request, settings: Settings) -> bytes:
    media_type = _media_type(request)
    if media_type == "application/json":
        form = parse_json(await request.body(), PredictRequest, _JSON_FIELDS[PredictRequest])
        return decode_base64(form.image)
    if media_type == "multipart/form-data":
        return await _read_multipart(request, settings.max_body_bytes)
    if _is_file(media_type):
        return await request.body()
    raise RequestError(
        "unsupported_media_type",
        "Expected image/png (or jpeg, webp), application/json or multipart/form-data, without a "
        "content encoding.",
    )


def _is_file(media_type: str) -> bool:
    # Programs write image/jpg, image/x-png and the like: the bytes say what they are.
    return media_type.startswith("image/") or media_type == "application/octet-stream"


def _media_type(request: Request) -> str:
    """The type of a body as it is sent; "" for one that would have to be unpacked."""
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        return ""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def parse_json(body: bytes, form: type[Form], expected: str) -> Form:
    """The JSON object in `body`; `expected` says what it should be to whoever sent another.

    Raises:
        RequestError: `malformed_json`, or `invalid_request` if it is another object than asked.
    """
    try:
        value = json.loads(
            body.decode("utf-8"), object_pairs_hook=_unique_keys, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError):
        detail = "Expected JSON (RFC 8259) in UTF-8, each key once, without NaN or Infinity."
        raise RequestError("malformed_json", detail) from None
    try:
        return form.model_validate(value, strict=True)
    except ValidationError:
        raise RequestError("invalid_request", expected) from None


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) != len({key for key, _ in pairs}):
        raise ValueError("a key stands twice")
    return dict(pairs)


def _refuse_constant(_: str) -> NoReturn:
    raise ValueError("not JSON, though Python writes it")


def decode_base64(text: str) -> bytes:
    """The bytes of a base64 text, with or without the prefix of a data URI.

    Line breaks, blanks and a missing padding are taken as they are meant: tools wrap and cut.

    Raises:
        RequestError: `invalid_base64` for anything else than the standard alphabet.
    """
    prefix = _DATA_URI_PREFIX.match(text)
    encoded = text[prefix.end() :] if prefix else text
    try:
        return _decode_strictly(encoded)
    except ValueError:
        mended = "".join(encoded.split())
    try:
        return _decode_strictly(mended if "=" in mended else mended + "=" * (-len(mended) % 4))
    except ValueError:
        detail = (
            "Expected the standard alphabet (A-Z a-z 0-9 + /), optionally after "
            "data:image/png;base64, (or jpeg, webp)."
        )
        raise RequestError("invalid_base64", detail) from None


def _decode_strictly(encoded: str) -> bytes:
    return binascii.a2b_base64(encoded.encode("ascii"), strict_mode=True)


async def _read_multipart(request: Request, max_body_bytes: int) -> bytes:
    parser = MultiPartParser(request.headers, request.stream(), max_files=1, max_fields=0)
    # The body is bounded already, so its one file stays in memory: nothing waits for a disk.
    parser.spool_max_size = max_body_bytes
    try:
        form = await parser.parse()
    # Beside its own, the parser lets out what a codec named by the caller raises: a ValueError.
    except (MultiPartException, ValueError):
        raise RequestError("malformed_multipart", _FILE_PART) from None
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise RequestError("invalid_request", _FILE_PART)
    return await file.read()
