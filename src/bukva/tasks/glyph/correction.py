"""What a stored correction says of a drawing: `bukva.core.corrections`."""

from typing import ClassVar, Final

from bukva.core.corrections import StoredCorrection
from bukva.tasks.glyph.answer import Source

MAX_SIDE_PX: Final = 512
"""Longest side of a stored drawing: a letter fills some 28 of its pixels when it is learnt from."""
PHOTO_SIDE_PX: Final = 1024
"""Of a stored photo, of which a letter fills a smaller part."""


class Correction(StoredCorrection):
    """What somebody says that an image shows.

    Attributes:
        symbol: What the image shows.
        source: Where it comes from, if that is known.
    """

    said: ClassVar = "symbol"

    symbol: str
    source: Source | None = None
