"""What goes over the wire, as pydantic models: they check, and they write the OpenAPI page."""

import unicodedata
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from bukva.tasks.document import answer as document
from bukva.tasks.glyph.answer import Box, Probability, Recognition, Source, Symbol
from bukva.tasks.glyph.charset import SYMBOLS
from bukva.tasks.line import answer as line


def _compose(text: Any) -> Any:
    """Take й and ї written as two code points, as macOS does, for the letters that they are."""
    return unicodedata.normalize("NFC", text) if isinstance(text, str) else text


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PredictRequest(_Strict):
    """The JSON form of a request; the other form is multipart with a part named `file`."""

    image: str = Field(
        description="A PNG, JPEG or WebP file as base64 with padding. The prefix "
        "`data:image/png;base64,` (or jpeg, webp) may stand before it.",
        examples=["data:image/png;base64,iVBORw0KGgo="],
    )


class FeedbackRequest(PredictRequest):
    """What somebody says that their image shows, and that it may be kept."""

    symbol: Annotated[str, BeforeValidator(_compose)] = Field(
        pattern=f"^[{SYMBOLS}]$", description="what the image shows, as written", examples=["Ґ"]
    )
    answer: Annotated[Symbol | None, BeforeValidator(_compose)] = Field(
        default=None, description="what the service answered, if it was asked", examples=["Г"]
    )
    source: Source | None = Field(
        default=None, description="where the image comes from, as of `/v1/predict`"
    )
    consent: Literal[True] = Field(
        description="the person who made the image lets it be kept and learnt from"
    )


LineText = Annotated[
    str,
    BeforeValidator(_compose),
    Field(max_length=300, pattern=r"^[^\x00-\x1f\x7f\u2028\u2029]*$"),
]


class LineFeedbackRequest(PredictRequest):
    """What somebody says that their line says, and that it may be kept."""

    text: LineText = Field(
        description="what is written, as it is written; empty where nothing is",
        examples=["Добрий день, Україно!"],
    )
    answer: LineText | None = Field(
        default=None, description="what the service answered, if it was asked"
    )
    consent: Literal[True] = Field(
        description="the person who wrote the line lets it be kept and learnt from"
    )


class Feedback(_Strict):
    """A correction that is stored."""

    id: str = Field(
        description="deletes it: `DELETE /v1/feedback/{id}`, or `/v1/lines/feedback/{id}`",
        examples=["0f343b0931126a20f133d67c2b018a3b"],
    )


class ServedModel(_Strict):
    """The model that answers."""

    name: str = Field(examples=["bukva-glyph"])
    version: str = Field(description="version in the registry", examples=["7"])
    alias: str = Field(examples=["prod"])


class Prediction(Recognition):
    """The answer to one image: what it shows, and which model says so."""

    model: ServedModel


class BatchRequest(_Strict):
    """Several images in one request."""

    images: list[str] = Field(
        min_length=1,
        max_length=64,
        description="each as in PredictRequest",
        examples=[["data:image/png;base64,iVBORw0KGgo="]],
    )
    source: Source | None = Field(
        default=None, description="where all of them come from, as of `/v1/predict`"
    )


class BatchResult(_Strict):
    """The answer to one of several images: what it shows, or why it cannot be told."""

    recognition: Recognition | None = None
    code: str | None = Field(
        default=None, description="of the problem with this image", examples=["empty_image"]
    )
    detail: str | None = None


class BatchAnswer(_Strict):
    """The answers to several images, in their order."""

    results: list[BatchResult]
    model: ServedModel


Method = Literal["occlusion", "gradcam"]


class Explanation(Recognition):
    """What an image shows, and which parts of it that answer rests on."""

    method: Method = Field(description="how that was found out")
    methods: list[Method] = Field(description="how this model can be asked")
    frame: str | None = Field(
        description="what the network saw, cut out, centred and scaled: a small PNG file as "
        "base64, ink light on black; null if the model does not tell"
    )
    box: Box = Field(
        description="what of the page the grid lies on: its ink (`occlusion`), or what the network "
        "saw of it (`gradcam`), which may reach beyond the page"
    )
    importance: list[list[Probability]] = Field(
        description="rows of cells: by how much the probability of the label falls when the cell "
        "is covered (`occlusion`), or how much the cell speaks for the label, as a share of the "
        "most telling one (`gradcam`)"
    )
    model: ServedModel


class PartBox(document.Box):
    """Where a part is, in pixels of the page as it was read."""


class DocumentPart(document.Part):
    """A line, or what of a line stands together, that is of one kind."""

    box: PartBox


class DocumentAnswer(_Strict):
    """The answer to one page: what it is, and which model says so."""

    label: document.Label = Field(
        description="`mixed` where parts differ, `blank` where there is no ink; what was typed "
        "counts as printed",
        examples=["handwritten"],
    )
    confidence: Probability | None = Field(
        description="that the label is right; null for `blank`", examples=[0.98]
    )
    parts: list[DocumentPart] = Field(
        description="from the top down; each box in pixels of `width` x `height`",
        examples=[
            [
                {
                    "box": {"left": 110, "top": 96, "width": 820, "height": 44},
                    "label": "handwritten",
                    "confidence": 0.98,
                }
            ]
        ],
    )
    page: int = Field(description="which one was read, from 1", examples=[1])
    pages: int = Field(description="how many the file has", examples=[1])
    width: int = Field(
        description="of the page as it was read, upright: what is larger than 2,048 pixels, and a "
        "PDF, comes at another scale than its own",
        examples=[1654],
    )
    height: int = Field(examples=[2048])
    model: ServedModel


class LineBox(line.Box):
    """Where something stands, in pixels of the picture that was sent, upright."""


class OtherText(line.Alternative):
    """What may stand there instead."""


class LineCharacter(line.Character):
    """A character of a line."""

    box: LineBox
    alternatives: list[OtherText]  # type: ignore[assignment]


class LineWord(line.Word):
    """What stands between spaces."""

    box: LineBox
    alternatives: list[OtherText]  # type: ignore[assignment]
    characters: list[LineCharacter]  # type: ignore[assignment]


class LineAnswer(_Strict):
    """What a line says, and which model says so."""

    text: str = Field(description="empty where nothing is written", examples=["Добрий день"])
    confidence: Probability | None = Field(
        description="the share of the characters that is expected to be right", examples=[0.93]
    )
    words: list[LineWord] = Field(
        description="from left to right; each box in pixels of `width` x `height`",
        examples=[
            [
                {
                    "text": "Я",
                    "box": {"left": 40, "top": 12, "width": 30, "height": 61},
                    "confidence": 0.9,
                    "alternatives": [{"text": "А", "confidence": 0.06}],
                    "characters": [
                        {
                            "text": "Я",
                            "box": {"left": 40, "top": 12, "width": 30, "height": 61},
                            "confidence": 0.9,
                            "alternatives": [{"text": "А", "confidence": 0.06}],
                        }
                    ],
                }
            ]
        ],
    )
    width: int = Field(description="of the picture that was sent, upright", examples=[1640])
    height: int = Field(examples=[96])
    model: ServedModel


class Live(_Strict):
    """The process answers."""

    status: Literal["alive"] = "alive"


class Ready(_Strict):
    """The model of the first task is loaded and has answered its probe."""

    status: Literal["ready"] = "ready"
    model: ServedModel
    warning: str | None = Field(
        description="why another version is not served, or the registry not heard; null if all "
        "is well"
    )
    tasks: dict[str, str | None] = Field(
        description="the same of the model of each task that is served: why it does not answer, "
        "or is not the one that it should be",
        examples=[{"glyph": None, "document": "The registry has no models:/bukva-document@prod."}],
    )


class Version(_Strict):
    """What runs here."""

    bukva: str = Field(examples=["0.1.0"])
    python: str = Field(examples=["3.11.7"])
    mlflow: str = Field(examples=["3.17.2"])
    model: ServedModel | None = Field(description="null while no model is loaded")
    tasks: dict[str, ServedModel | None] = Field(
        default={}, description="the same of each task that is served"
    )


class ServerMetadata(_Strict):
    """What serves, as the Open Inference Protocol says it."""

    name: Literal["bukva"] = "bukva"
    version: str = Field(examples=["0.1.0"])
    extensions: list[str] = ["binary_tensor_data"]


class TensorMetadata(_Strict):
    """A tensor that a model takes or gives; -1 is any number."""

    name: str = Field(examples=["image"])
    datatype: str = Field(examples=["BYTES"])
    shape: list[int] = Field(examples=[[-1]])


class ModelMetadata(_Strict):
    """What is served, as the Open Inference Protocol says it."""

    name: str = Field(examples=["bukva-glyph"])
    versions: list[str] = Field(examples=[["7"]])
    platform: Literal["mlflow_pyfunc"] = "mlflow_pyfunc"
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


class ModelDescription(_Strict):
    """The model that answers, and what is known about it."""

    model: ServedModel
    files_sha256: str = Field(description="digest of all its files, checked before it was loaded")
    is_signed: bool = Field(description="whether somebody whom the operator trusts signed that")
    loaded: datetime
    results: dict[str, Any] = Field(
        description="of its evaluation: accuracies, 95 % intervals, counts; empty if it has none",
        examples=[{"comnist.label_accuracy": 0.98, "comnist.label_accuracy.ci95": [0.97, 0.99]}],
    )
    card: str = Field(description="its model card, Markdown; empty if it has none")
    figures: list[str] = Field(
        description="GET /v1/model/figures/{name}", examples=[["label_confusion"]]
    )
    drift: dict[str, float] = Field(
        description="population stability index of what it was asked lately, by measure; those "
        "measured often enough",
        examples=[{"stroke_width_px": 0.08}],
    )


class Problem(_Strict):
    """Why a request was not answered as asked (RFC 9457)."""

    type: str = Field(examples=["urn:bukva:problem:invalid_base64"])
    title: str = Field(examples=["The base64 text is not valid"])
    status: int = Field(examples=[400])
    detail: str = Field(description="for people; may change")
    code: str = Field(description="for programs; does not change", examples=["invalid_base64"])
    request_id: str = Field(description="the same as in the header X-Request-ID")
    error: str | None = Field(
        default=None,
        description="`detail` once more, below /v2 alone: where clients of the Open Inference "
        "Protocol look for it",
    )
