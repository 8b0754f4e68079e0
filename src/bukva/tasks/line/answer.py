"""What is asked of the task `line`, and what it answers."""

from typing import Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict

Language: TypeAlias = Literal["uk", "fr"]
"""What a line is written in."""

Decoding: TypeAlias = Literal["greedy", "beam"]
"""How its text is looked for: character by character, or among whole texts."""


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

    def scaled(self, across: float, down: float) -> Self:
        """Return the same place on a picture that is so many times as wide and high."""
        right, bottom = self.left + self.width, self.top + self.height
        left, top = round(across * self.left), round(down * self.top)
        width, height = round(across * right) - left, round(down * bottom) - top
        return self.model_copy(
            update={"left": left, "top": top, "width": max(1, width), "height": max(1, height)}
        )


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

    def scaled(self, across: float, down: float) -> Self:
        """Return the same on a picture that is so many times as wide and high."""
        return self.model_copy(update={"box": self.box.scaled(across, down)})


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

    def scaled(self, across: float, down: float) -> Self:
        """Return the same on a picture that is so many times as wide and high."""
        characters = [each.scaled(across, down) for each in self.characters]
        box = self.box.scaled(across, down)
        return self.model_copy(update={"box": box, "characters": characters})


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

    def scaled(self, across: float, down: float) -> Self:
        """Return the same on a picture that is so many times as wide and high."""
        words = [word.scaled(across, down) for word in self.words]
        return self.model_copy(update={"words": words})
