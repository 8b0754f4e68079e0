"""The addresses that recognise, and that tell which parts of a symbol an answer rests on.

That is found by trial, which is occlusion (Zeiler and Fergus 2014, section 4.2): a patch of the
drawing is covered with the page's colour, and the model asked again. Where the probability of its
answer falls, it needed what was there. Any model can be asked so.

Shapes: H x W pixels; the grid has G x G cells.
"""

import asyncio
import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request
from PIL import Image

from bukva.errors import ModelError, RequestError
from bukva.serving.logs import log_failure
from bukva.serving.model import AskedModel, LoadedModel, read_map
from bukva.serving.problems import IMAGE_PROBLEMS, describe_problems
from bukva.serving.request_body import Grey, decode, describe_json, encode, read_batch, read_image
from bukva.serving.schemas import (
    BatchAnswer,
    BatchRequest,
    BatchResult,
    Explanation,
    Method,
    Prediction,
    PredictRequest,
)
from bukva.serving.service import Service, ServiceDep
from bukva.tasks.glyph.answer import Answer, Box, Kind, Recognition, Source

CELLS = 8
_PATCH_CELLS = 2.5  # a smaller one leaves enough of a breve or a hook to know it by
_LONGEST_PX = 400
_INK_FROM = 48  # of 255, away from the page's colour


@dataclass(frozen=True)
class Covered:
    """Copies of a page, each with another patch covered; row by row.

    Attributes:
        images: PNG files, `CELLS` x `CELLS` of them; None where there was no ink to cover.
        box: What of the page the grid lies on: its ink.
    """

    images: list[bytes | None]
    box: Box


def cover(image: bytes) -> Covered:
    """Return an image with each patch of its ink covered in turn.

    Raises:
        RequestError: If it cannot be decoded.
    """
    small = Image.fromarray(decode(image))
    small.thumbnail((_LONGEST_PX, _LONGEST_PX))  # it is encoded once for each patch
    grey_HW: Grey = np.asarray(small)
    page = np.median(np.concatenate([grey_HW[[0, -1]].ravel(), grey_HW[:, [0, -1]].ravel()]))
    is_ink_HW = np.abs(grey_HW.astype(np.float32) - page) >= _INK_FROM
    rows, columns = np.flatnonzero(is_ink_HW.any(1)), np.flatnonzero(is_ink_HW.any(0))
    if not len(rows):
        return Covered([None] * CELLS**2, Box(left=0, top=0, width=1, height=1))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    images = [
        _fill(grey_HW, y, x, int(page)) if is_ink_HW[y, x].any() else None
        for y in _patches(top, bottom)
        for x in _patches(left, right)
    ]
    height, width = grey_HW.shape
    box = Box(
        left=left / width,
        top=top / height,
        width=(right - left) / width,
        height=(bottom - top) / height,
    )
    return Covered(images, box)


def _patches(start: int, stop: int) -> list[slice]:
    cell = (stop - start) / CELLS
    reach = cell * _PATCH_CELLS / 2
    middles = start + cell * (np.arange(CELLS) + 0.5)
    return [slice(max(0, round(m - reach)), max(1, round(m + reach))) for m in middles]


def _fill(grey_HW: Grey, rows: slice, columns: slice, value: int) -> bytes:
    covered_HW = grey_HW.copy()
    covered_HW[rows, columns] = value
    return encode(covered_HW, compress_level=1)


def weigh(
    recognition: Recognition, covered: Covered, answers: Sequence[Answer]
) -> list[list[float]]:
    """Return by how much covering each cell lowers the probability of the label, 0..1.

    Args:
        recognition: What the whole image was read as, or would be if it showed a symbol.
        covered: What the model was asked with.
        answers: What it said, for each image that is not None.
    """
    label = recognition.alternatives[0].symbol.lower()
    whole = _probability(label, recognition)
    left = iter(answers)
    falls = [
        0.0 if image is None else max(0.0, whole - _probability(label, next(left).reading))
        for image in covered.images
    ]
    return [falls[start : start + CELLS] for start in range(0, CELLS**2, CELLS)]


def _probability(label: str, recognition: Recognition | None) -> float:
    """Return the probability of a label: 0 if it is not among the best, or nothing was read."""
    alternatives = recognition.alternatives if recognition else []
    return sum(each.probability for each in alternatives if each.symbol.lower() == label)


AskedSource = Annotated[
    Source | None,
    Query(
        description="where the image comes from, where that is known: on a page that was drawn on, "
        "size tells о from О; on a photo it does not. Else the image decides"
    ),
]

router = APIRouter(tags=["recognition"])
PATHS = frozenset({"/v1/predict", "/v1/predict/batch", "/v1/explain"})
"""What asks the model."""

# Routes choose between the forms by themselves, so OpenAPI has to be told of them.
_PREDICT_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "additionalProperties": False,
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": "A PNG, JPEG or WebP file, with a file name.",
                        }
                    },
                }
            },
            "application/json": {"schema": PredictRequest.model_json_schema()},
            **{
                f"image/{name}": {"schema": {"type": "string", "format": "binary"}}
                for name in ("png", "jpeg", "webp")
            },
        },
    }
}
_PROBLEMS = (
    "malformed_json", "invalid_request", "invalid_base64", "missing_image", "body_timeout",
    "body_too_large", "file_too_large", "unsupported_media_type", "model_error",
    "model_not_ready", "overloaded", "deadline_passed",
)  # fmt: skip


@router.post(
    "/v1/predict",
    summary="Recognise one symbol in an image",
    responses=describe_problems(*_PROBLEMS, "malformed_multipart", *IMAGE_PROBLEMS),
    openapi_extra=_PREDICT_BODY,
)
async def predict(
    request: Request,
    service: ServiceDep,
    kind: Annotated[
        Kind | None,
        Query(alias="expect", description="what is meant, where that is known: 0 or о, 3 or з"),
    ] = None,
    source: AskedSource = None,
) -> Prediction:
    """Says which letter or digit the image shows, in which case, and how sure that is."""
    model = _admit(request, service)
    image = await read_image(request, service.settings)
    [answer] = await service.calls.predict(model.asked_of(source), [image])
    recognition = _take_note(answer, model, service)
    if kind is not None:
        recognition = recognition.expect(kind)
    # Its parts were checked when they were read.
    return Prediction.model_construct(**dict(recognition), model=model.identity)


@router.post(
    "/v1/predict/batch",
    summary="Recognise one symbol in each of several images",
    responses=describe_problems(*_PROBLEMS),
    openapi_extra=describe_json(BatchRequest),
)
async def predict_batch(request: Request, service: ServiceDep) -> BatchAnswer:
    """Answers for each image in their order; one that cannot be read harms no other."""
    model = _admit(request, service)
    images, source = await read_batch(request, service.settings)
    answers = await service.calls.predict(model.asked_of(source), images)
    results = [_to_result(answer, model, service) for answer in answers]
    return BatchAnswer(results=results, model=model.identity)


@router.post(
    "/v1/explain",
    summary="Recognise a symbol, and say which parts of it tell",
    responses=describe_problems(
        *_PROBLEMS, "malformed_multipart", "method_unavailable", *IMAGE_PROBLEMS
    ),
    openapi_extra=_PREDICT_BODY,
)
async def explain(
    request: Request,
    service: ServiceDep,
    method: Annotated[Method, Query(description="how to find that out")] = "occlusion",
    source: AskedSource = None,
) -> Explanation:
    """Covers the symbol patch by patch and asks the model again: some fifty times the work.

    Or asks the network itself, once, where its last feature map speaks for the label (`gradcam`).
    """
    model = _admit(request, service)
    if method not in model.methods:
        raise RequestError("method_unavailable", "Ask with `method=occlusion`.")
    asked = AskedModel(model.recogniser, source, with_map=method == "gradcam")
    image = await read_image(request, service.settings)
    [answer] = await service.calls.predict(asked, [image])
    recognition = _take_note(answer, model, service)
    if method == "gradcam":
        box, importance = _read_map(answer)
    else:
        box, importance = await _weigh_parts(image, recognition, asked, service)
    return Explanation(
        **recognition.model_dump(),
        method=method,
        methods=model.methods,
        frame=_to_png(answer.frame),
        box=box,
        importance=importance,
        model=model.identity,
    )


async def _weigh_parts(
    image: bytes, recognition: Recognition, model: AskedModel, service: Service
) -> tuple[Box, list[list[float]]]:
    covered = await asyncio.to_thread(cover, image)
    copies = [copy for copy in covered.images if copy]
    answers = await service.calls.predict(model, copies) if copies else []
    return covered.box, weigh(recognition, covered, answers)


def _admit(request: Request, service: Service) -> LoadedModel:
    """The model that answers; asked before the body of a request is read."""
    model = service.model()
    request.state.model_version = model.identity.version
    return model


def _take_note(answer: Answer, model: LoadedModel, service: Service) -> Recognition:
    """Return what an image shows, once it is counted and logged.

    Raises:
        RequestError: If the image could not be used; carries the recogniser's code.
    """
    if answer.failure:
        raise RequestError(answer.failure.error, answer.failure.error_detail)
    if answer.reading is None:
        raise _model_failed(ModelError("Expected a reading or a failure, got neither."))
    recognition = answer.reading.best(service.settings.top_k)
    service.note(recognition, model.identity.version)
    measures = {**(answer.measures or {}), "confidence": recognition.confidence}
    model.drift.add(recognition.label, measures)
    return recognition


def _read_map(answer: Answer) -> tuple[Box, list[list[float]]]:
    try:
        if found := read_map(answer):
            return found
        raise ModelError("Expected a map, as of the probe, got none.")
    except ModelError as error:
        raise _model_failed(error) from error


def _model_failed(error: ModelError) -> RequestError:
    log_failure("model_failed", error)
    return RequestError("model_error", "It was logged under the request id.")


def _to_result(answer: Answer, model: LoadedModel, service: Service) -> BatchResult:
    if answer.failure:
        return BatchResult(code=answer.failure.error, detail=answer.failure.error_detail)
    return BatchResult(recognition=_take_note(answer, model, service))


def _to_png(frame: str | None) -> str | None:
    """Return the grey levels of a square, in base64, as a PNG file, in base64 too."""
    if not frame:
        return None
    grey = np.frombuffer(base64.b64decode(frame), dtype=np.uint8)
    side = math.isqrt(len(grey))
    grey_HW = grey.reshape(side, side)
    return base64.b64encode(encode(grey_HW)).decode("ascii")
