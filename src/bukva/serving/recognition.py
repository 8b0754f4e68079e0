"""The addresses that recognise, and that tell which parts of a symbol an answer rests on."""

import asyncio
import base64
import math
from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request

from bukva.errors import ModelError, RequestError
from bukva.serving.glyph_model import AskedModel, GlyphModel, read_map
from bukva.serving.logs import log_failure
from bukva.serving.occlusion import cover, weigh
from bukva.serving.problems import IMAGE_PROBLEMS, describe_problems
from bukva.serving.request_body import describe_file, describe_json, encode, read_batch, read_image
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
            **describe_file(
                ("image/png", "image/jpeg", "image/webp"),
                "A PNG, JPEG or WebP file, with a file name.",
            ),
            "application/json": {"schema": PredictRequest.model_json_schema()},
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
    [answer] = await service.glyph.calls.predict(model.asked_of(source), [image])
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
    results = await read_glyphs(images, source, model, service)
    return BatchAnswer(results=results, model=model.identity)


async def read_glyphs(
    images: Sequence[bytes], source: Source | None, model: GlyphModel, service: Service
) -> list[BatchResult]:
    """What several images show, or why it cannot be told, in their order."""
    answers = await service.glyph.calls.predict(model.asked_of(source), images)
    return [_to_result(answer, model, service) for answer in answers]


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
    # With the map comes where the frame lies on the image, which both methods need.
    asked = AskedModel(model.recogniser, source, with_map=True)
    image = await read_image(request, service.settings)
    [answer] = await service.glyph.calls.predict(asked, [image])
    recognition = _take_note(answer, model, service)
    if method == "gradcam":
        box, importance = _read_map(answer)
    else:
        box, importance = await _weigh_parts(image, answer, model, service)
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
    image: bytes, answer: Answer, model: GlyphModel, service: Service
) -> tuple[Box, list[list[float]]]:
    covered = await asyncio.to_thread(cover, image, answer)
    copies = [copy for copy in covered.images if copy]
    asked = model.asked_of(covered.source)
    answers = await service.glyph.calls.predict(asked, copies) if copies else []
    return covered.box, weigh(answer, covered, answers)


def _admit(request: Request, service: Service) -> GlyphModel:
    """The model that answers; asked before the body of a request is read."""
    model = service.glyph.model()
    request.state.model_version = model.identity.version
    return model


def _take_note(answer: Answer, model: GlyphModel, service: Service) -> Recognition:
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


def _to_result(answer: Answer, model: GlyphModel, service: Service) -> BatchResult:
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
