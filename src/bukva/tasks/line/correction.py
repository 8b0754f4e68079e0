"""What a stored correction says of a line: `bukva.core.corrections`."""

from typing import ClassVar, Final, Literal, Self

from bukva.core.corrections import StoredCorrection

SIDE_PX: Final = 2048
"""Longest side of a stored line, which is read from so many pixels."""


class LineCorrection(StoredCorrection):
    """What somebody says that a line of text says.

    Attributes:
        task: Tells it from corrections of drawings, which lie beside it.
        text: What is written, empty where nothing is.
    """

    said: ClassVar = "text"

    task: Literal["line"]
    text: str

    @property
    def receipt(self) -> Self:
        """The same without its image, and without what was written, and by whom."""
        return super().receipt.model_copy(update={"text": "", "answer": None})
