"""What is asked of the task `line`, and what it answers."""

from pydantic import BaseModel, ConfigDict


class Question(BaseModel):
    """What a packaged model is asked for each row of a table."""

    image: bytes


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Box(_Frozen):
    """A place on the picture that was sent, in its pixels."""

    left: int
    top: int
    width: int
    height: int


class Alternative(_Frozen):
    """What may stand there instead; its confidence is a share of what the answer's leaves."""

    text: str
    confidence: float


class Character(_Frozen):
    """A character and where it was seen.

    Attributes:
        text: The character.
        box: As far as the middle between it and its neighbours.
        confidence: What the network says of it, 0..1.
        alternatives: At most three, the likeliest first.
    """

    text: str
    box: Box
    confidence: float
    alternatives: list[Alternative] = []


class Word(_Frozen):
    """What stands between spaces.

    Attributes:
        text: The word with what is written close to it, such as a comma.
        box: From its first character to its last.
        confidence: That all of it is right, 0..1.
        alternatives: At most three, the likeliest first.
        characters: From left to right.
    """

    text: str
    box: Box
    confidence: float
    alternatives: list[Alternative] = []
    characters: list[Character] = []


class Answer(_Frozen):
    """What is answered for the picture of a line; one that cannot be used has an error alone.

    Attributes:
        text: What it says; empty where nothing is written.
        confidence: The share of the characters that is expected to be right, 0..1.
        words: From left to right.
        error: Why the picture cannot be used, in a word for programs.
        error_detail: The same for people.
    """

    text: str | None = None
    confidence: float | None = None
    words: list[Word] = []
    error: str | None = None
    error_detail: str | None = None
