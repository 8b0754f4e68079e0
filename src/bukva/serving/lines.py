"""The address that reads a line of handwriting: its text, and where each word of it stands."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict

from bukva.errors import RequestError
from bukva.serving.problems import LINE_PROBLEMS, describe_problems
from bukva.serving.reader_models import LineModel
from bukva.serving.reader_process import AskedReader, ReadLine
from bukva.serving.request_body import describe_file, read_file
from bukva.serving.schemas import LineAnswer, LineWord
from bukva.serving.service import Service, ServiceDep
from bukva.tasks.line.answer import Decoding, Language

router = APIRouter(tags=["lines"])

_TYPES: Final = ("image/png", "image/jpeg", "image/webp", "image/tiff")
_BODY: Final[dict[str, Any]] = {
    "requestBody": {"required": True, "content": describe_file(_TYPES, "With a file name.")}
}


class LineQuestion(BaseModel):
    """How lines are asked for: see `bukva.tasks.line.answer`."""

    model_config = ConfigDict(frozen=True, strict=True)

    language: Language | None = None
    decoding: Decoding | None = None


@router.post(
    "/v1/lines",
    summary="Read a line of handwriting",
    responses=describe_problems(
        "invalid_request", "malformed_multipart", "missing_image", "body_timeout",
        "body_too_large", "file_too_large", "unsupported_media_type", "model_error",
        "model_not_ready", "overloaded", "deadline_passed", *LINE_PROBLEMS,
    ),
    openapi_extra=_BODY,
)  # fmt: skip
async def read_line(
    request: Request,
    service: ServiceDep,
    language: Annotated[
        Language | None, Query(description="what the line is written in, where that is known")
    ] = None,
    decoding: Annotated[
        Decoding | None,
        Query(description="`beam` weighs several texts, by how likely each is in the language too, "
              "`greedy` takes the likeliest characters, in less time"),
    ] = None,
) -> LineAnswer:  # fmt: skip
    """Says what is written, how sure that is, and where each word and character stands.

    An empty line has an empty text.
    """
    model = service.line.admit(request)
    file = await read_file(request, service.settings)
    question = LineQuestion(language=language, decoding=decoding)
    [read] = await ask_lines([file], question, model, service)
    return _to_answer(read, model)


async def ask_lines(
    files: Sequence[bytes], question: LineQuestion, model: LineModel, service: Service
) -> Sequence[ReadLine]:
    """What is answered to each file, in their order, once it is counted."""
    asked = AskedReader(model.recogniser, question.model_dump())
    found = await service.line.calls.predict(asked, files)
    for read in found:
        confidence, version = read.answer.confidence, model.identity.version
        service.metrics.count_read("line", _describe(read), confidence, version)
    return found


def _describe(read: ReadLine) -> str:
    if read.answer.text is None:
        return "none"
    return "text" if read.answer.text else "empty"


def _to_answer(read: ReadLine, model: LineModel) -> LineAnswer:
    """What goes over the wire.

    Raises:
        RequestError: If the picture could not be used; carries the recogniser's code.
    """
    answer = read.answer
    if answer.error or answer.text is None:
        raise RequestError(answer.error or "model_error", answer.error_detail or "No answer.")
    return LineAnswer(
        text=answer.text,
        confidence=answer.confidence,
        words=[LineWord(**word.model_dump()) for word in answer.words],
        width=read.width,
        height=read.height,
        model=model.identity,
    )
