"""The Open Inference Protocol, version 2, over REST: its tensors for every task that is served.

The input is `image`, BYTES: in JSON each file is base64; with the extension for binary tensors its
bytes follow the JSON, each after its length, as Triton's clients send it unless they are told not
to. Each output holds a value for each file:
https://github.com/open-inference/open-inference-protocol, specification/protocol/inference_rest.md.
"""

import math
import struct
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Header, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import Response

from bukva import __version__
from bukva.errors import RequestError
from bukva.serving.documents import ask_documents
from bukva.serving.glyph_model import GlyphModel
from bukva.serving.lines import LineQuestion, ask_lines
from bukva.serving.problems import describe_problems
from bukva.serving.reader_models import DocumentModel, LineModel
from bukva.serving.reader_process import AskedReader
from bukva.serving.recognition import read_glyphs
from bukva.serving.request_body import (
    check_size,
    decode_base64,
    describe_json,
    parse_json,
    read_body,
)
from bukva.serving.schemas import ModelMetadata, ServerMetadata, TensorMetadata
from bukva.serving.service import Service, ServiceDep
from bukva.serving.settings import Settings

_LENGTH: Final = struct.Struct("<I")
_HEADER: Final = "Inference-Header-Content-Length"
_INPUT: Final = TensorMetadata(name="image", datatype="BYTES", shape=[-1])
_OUTPUTS: Final = {
    "label": "BYTES",
    "confidence": "FP32",
    "error": "BYTES",
    "answer": "BYTES",
}
_EXPECTED: Final = "Expected one input `image` of 1 to 64 BYTES, as GET /v2/models/{name} tells."

router = APIRouter(tags=["open inference protocol"])
infer_router = APIRouter(tags=["open inference protocol"])


class _Lenient(BaseModel):
    """What the protocol lets others add to is not looked into."""

    model_config = ConfigDict(frozen=True)


class InputTensor(_Lenient):
    """Files, one after the other."""

    name: Literal["image"] = Field(examples=["image"])
    shape: list[Annotated[int, Field(ge=1)]] = Field(examples=[[1]])
    datatype: Literal["BYTES"]
    parameters: dict[str, Any] = {}
    data: list[str] | None = Field(
        default=None,
        description="each in base64; none where the bytes follow the JSON",
        examples=[["iVBORw0KGgo="]],
    )


class OutputName(_Lenient):
    """What is asked for."""

    name: Literal["label", "confidence", "error", "answer"]
    parameters: dict[str, Any] = {}


class InferRequest(_Lenient):
    """Some files, and what is asked of them."""

    id: str | None = None
    parameters: dict[str, Any] = Field(
        default={},
        description="`page` of documents, from 1; `source` of glyphs; `language` and `decoding` of "
        "lines",
    )
    inputs: list[InputTensor] = Field(min_length=1, max_length=1)
    outputs: list[OutputName] = Field(default=[], description="all, where none is named")


class InferredTensor(BaseModel):
    """A value for each file."""

    name: str = Field(examples=["label"])
    shape: list[int] = Field(examples=[[1]])
    datatype: str = Field(examples=["BYTES"])
    parameters: dict[str, Any] = {}
    data: list[Any] | None = Field(
        default=None, description="none where it follows the JSON", examples=[["handwritten"]]
    )


class InferResponse(BaseModel):
    """What the model says of each file.

    `label` is empty and `confidence` 0 where there is none; `error` names the problem with a file,
    and is empty where it could be read; `answer` is all of the answer, as JSON.
    """

    model_name: str = Field(examples=["bukva-document"])
    model_version: str = Field(examples=["7"])
    id: str | None = None
    outputs: list[InferredTensor]


@router.get("/v2", summary="What serves (OIP)")
async def server_metadata() -> ServerMetadata:
    """Name and version of the program."""
    return ServerMetadata(version=__version__)


@router.get(
    "/v2/models/{name}/ready",
    summary="Is the model ready (OIP)",
    responses=describe_problems("model_not_ready", "not_found"),
)
@router.get(
    "/v2/models/{name}",
    summary="What is served (OIP)",
    responses=describe_problems("model_not_ready", "not_found"),
)
async def model_metadata(name: str, service: ServiceDep) -> ModelMetadata:
    """The model of a task, its version, and its tensors."""
    model = service.task(_find_task(name, service)).model()
    outputs = [
        TensorMetadata(name=output, datatype=datatype, shape=[-1])
        for output, datatype in _OUTPUTS.items()
    ]
    versions = [model.identity.version]
    return ModelMetadata(name=name, versions=versions, inputs=[_INPUT], outputs=outputs)


@infer_router.post(
    "/v2/models/{name}/infer",
    summary="Ask a model (OIP)",
    response_model=InferResponse,
    responses=describe_problems(
        "malformed_json", "invalid_request", "invalid_base64", "missing_image", "not_found",
        "body_timeout",
        "file_too_large", "body_too_large", "model_not_ready", "model_error", "overloaded",
        "deadline_passed",
    ),
    openapi_extra=describe_json(InferRequest),
)  # fmt: skip
async def infer(
    name: str,
    request: Request,
    service: ServiceDep,
    head_bytes: Annotated[int | None, Header(alias=_HEADER, ge=1, include_in_schema=False)] = None,
) -> Response:
    """Answers for each file in their order; one that cannot be read harms no other."""
    task = _find_task(name, service)
    model = service.task(task).model()
    request.state.model_version = model.identity.version
    body = await read_body(request, service.settings)
    form = parse_json(body[:head_bytes], InferRequest, _EXPECTED)
    tail = body[head_bytes:] if head_bytes else b""
    files = _read_files(form.inputs[0], tail, service.settings)
    rows = await _READERS[task](files, form.parameters, model, service)
    return _respond(form, name, model.identity.version, rows)


def _find_task(name: str, service: Service) -> str:
    for task, served in service.tasks.items():
        if served.models.name == name:
            return task
    known = ", ".join(served.models.name for served in service.tasks.values())
    raise RequestError("not_found", f"Served here: {known}.")


def _read_files(tensor: InputTensor, tail: bytes, settings: Settings) -> list[bytes]:
    if "binary_data_size" in tensor.parameters:
        files = list(_split(tail))
    else:
        files = [decode_base64(text) for text in tensor.data or ()]
    if not 1 <= len(files) <= 64 or math.prod(tensor.shape) != len(files):
        raise RequestError("invalid_request", _EXPECTED)
    return [check_size(file, settings) for file in files]


def _split(tail: bytes) -> Iterator[bytes]:
    """Yield the elements of a binary tensor: each after its length."""
    place = 0
    while place < len(tail):
        start = place + _LENGTH.size
        if start > len(tail):
            raise RequestError("invalid_request", _EXPECTED)
        [length] = _LENGTH.unpack_from(tail, place)
        place = start + length
        if place > len(tail):
            raise RequestError("invalid_request", _EXPECTED)
        yield tail[start:place]


def _respond(
    form: InferRequest, name: str, version: str, rows: Sequence[dict[str, Any]]
) -> Response:
    are_all_binary = form.parameters.get("binary_data_output") is True
    asked = form.outputs or [OutputName.model_validate({"name": each}) for each in _OUTPUTS]
    tensors, tail = [], b""
    for output in asked:
        values = [row[output.name] for row in rows]
        datatype = _OUTPUTS[output.name]
        tensor = InferredTensor(name=output.name, shape=[len(rows)], datatype=datatype)
        if output.parameters.get("binary_data", are_all_binary) is True:
            encoded = _encode(values, datatype)
            tensor.parameters["binary_data_size"] = len(encoded)
            tail += encoded
        else:
            tensor.data = values
        tensors.append(tensor)
    answer = InferResponse(model_name=name, model_version=version, id=form.id, outputs=tensors)
    head = answer.model_dump_json(exclude_none=True).encode()
    if not tail:
        return Response(head, media_type="application/json")
    headers = {_HEADER: str(len(head))}
    return Response(head + tail, headers=headers, media_type="application/octet-stream")


def _encode(values: Sequence[Any], datatype: str) -> bytes:
    if datatype == "FP32":
        return struct.pack(f"<{len(values)}f", *values)
    texts = [str(value).encode() for value in values]
    return b"".join(_LENGTH.pack(len(text)) + text for text in texts)


async def _read_glyphs(
    files: Sequence[bytes], parameters: dict[str, Any], model: GlyphModel, service: Service
) -> list[dict[str, Any]]:
    source = parameters.get("source")
    if source not in (None, "drawing", "photo"):
        raise RequestError("invalid_request", "Expected the source `drawing` or `photo`.")
    rows = []
    for result in await read_glyphs(files, source, model, service):
        found = result.recognition
        label, confidence = (found.symbol, found.confidence) if found else (None, None)
        rows.append(_to_row(label, confidence, result.code, result))
    return rows


async def _read_documents(
    files: Sequence[bytes], parameters: dict[str, Any], model: DocumentModel, service: Service
) -> list[dict[str, Any]]:
    page = parameters.get("page", 1)
    if not isinstance(page, int) or page < 1:
        raise RequestError("invalid_request", "Expected a `page` of 1 or more.")
    asked = AskedReader(model.recogniser, {"number": page})
    answers = [read.answer for read in await ask_documents(files, asked, model, service)]
    return [_to_row(each.label, each.confidence, each.error, each) for each in answers]


async def _read_lines(
    files: Sequence[bytes], parameters: dict[str, Any], model: LineModel, service: Service
) -> list[dict[str, Any]]:
    given = {name: parameters[name] for name in ("language", "decoding") if name in parameters}
    try:
        question = LineQuestion.model_validate(given)
    except ValidationError:
        message = "Expected the language `uk` or `fr`, and the decoding `greedy` or `beam`."
        raise RequestError("invalid_request", message) from None
    answers = [read.answer for read in await ask_lines(files, question, model, service)]
    return [_to_row(each.text, each.confidence, each.error, each) for each in answers]


def _to_row(
    label: str | None, confidence: float | None, error: str | None, answer: BaseModel
) -> dict[str, Any]:
    return {
        "label": label or "",
        "confidence": confidence or 0.0,
        "error": error or "",
        "answer": answer.model_dump_json(),
    }


_READERS: Final[Mapping[str, Callable[..., Awaitable[list[dict[str, Any]]]]]] = MappingProxyType(
    {"glyph": _read_glyphs, "document": _read_documents, "line": _read_lines}
)
