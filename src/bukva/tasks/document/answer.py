"""What is asked of the task `document`, and what it answers."""

from typing import Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict

Hand: TypeAlias = Literal["handwritten", "printed"]
"""What a part is; typewritten counts as printed."""

Label: TypeAlias = Literal["handwritten", "printed", "mixed", "blank"]

LABELS: Final[tuple[Hand, ...]] = ("handwritten", "printed")
"""What a network tells apart, in the order of its outputs."""


Method: TypeAlias = Literal["grad_cam", "occlusion"]
"""How to find out what an answer rests on: `bukva.tasks.document.explanation`."""


class Question(BaseModel):
    """What a packaged model is asked for each row of a table."""

    image: bytes


class Box(BaseModel):
    """A place on the picture that was sent, in its pixels."""

    model_config = ConfigDict(frozen=True)

    left: int
    top: int
    width: int
    height: int


class Part(BaseModel):
    """A piece of a picture that is of one kind: a line, or what of a line stands together."""

    model_config = ConfigDict(frozen=True)

    box: Box
    label: Hand
    confidence: float


class Answer(BaseModel):
    """What is answered for one picture; one that cannot be used has an error alone.

    Attributes:
        label: `mixed` where parts differ, `blank` where there is no ink.
        confidence: That the label is right, 0..1; None for `blank`, which is measured.
        parts: From the top down.
        error: Why the picture cannot be used, in a word for programs.
        error_detail: The same for people.
    """

    model_config = ConfigDict(frozen=True)

    label: Label | None = None
    confidence: float | None = None
    parts: list[Part] = []
    error: str | None = None
    error_detail: str | None = None
