"""Fonts under the SIL Open Font License, of handwriting and of print, each with its licence.

A font is two files, as its package brings them: the letters of one alphabet lie in `cyrillic`;
digits, punctuation and Latin letters lie in `latin`. What a file lacks, it would draw as the font's
`.notdef`: a box, or in one font a little bird. So a font is opened for a character.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Final, Literal, TypeAlias

from PIL import ImageFont

from bukva.errors import CharsetError

Subset: TypeAlias = Literal["cyrillic", "latin"]

SUBSETS: Final[tuple[Subset, ...]] = ("cyrillic", "latin")
LICENCE: Final = "SIL Open Font License 1.1"

_IN_NO_FONT: Final = "\uffff"
"""Unicode promises that no character will ever have this number."""
_PROBE_PX: Final = 48


@dataclass(frozen=True, slots=True)
class OpenFont:
    """A family in its regular weight.

    Attributes:
        name: Of the family, and of its folder.
        version: Of the npm package `@fontsource/<name>` that its files were taken from, unchanged.
        subsets: Which of the two files there are.
    """

    name: str
    version: str
    subsets: tuple[Subset, ...] = SUBSETS

    @property
    def licence_text(self) -> str:
        """The licence that travels with the files; it names the authors."""
        return (files(__package__) / self.name / "LICENSE").read_text(encoding="utf-8")

    def file_name(self, subset: Subset) -> str:
        """Return the name of one of its two files, in its folder."""
        return f"{self.name}-{subset}-400-normal.woff2"

    def open(self, subset: Subset, size_px: int) -> ImageFont.FreeTypeFont:
        """Return one of its two files at a size: pixels of the em square."""
        return ImageFont.truetype(BytesIO(_read(self.name, self.file_name(subset))), size_px)

    def find_subset(self, character: str) -> Subset | None:
        """Return which of its two files has a glyph for a character, None if neither has."""
        return _find_subset(self, character)

    def open_for(self, character: str, size_px: int) -> ImageFont.FreeTypeFont:
        """Return the file that has a glyph for a character, at a size.

        Raises:
            CharsetError: If neither file has one.
        """
        subset = self.find_subset(character)
        if subset is None:
            raise CharsetError(
                f"Expected a character that the font {self.name} holds, got {character!r}: take "
                "one of the fonts whose find_subset finds it."
            )
        return self.open(subset, size_px)


HANDWRITING_FONTS: Final = (
    OpenFont("amatic-sc", "5.3.0"),
    OpenFont("bad-script", "5.3.0"),
    OpenFont("balsamiq-sans", "5.3.0"),
    OpenFont("caveat", "5.3.0"),
    OpenFont("comforter", "5.2.8"),
    OpenFont("comic-relief", "5.3.0"),
    OpenFont("great-vibes", "5.3.0"),
    OpenFont("marck-script", "5.3.0"),
    OpenFont("neucha", "5.3.0"),
    OpenFont("pacifico", "5.3.0"),
    OpenFont("pangolin", "5.3.0"),
    OpenFont("playpen-sans", "5.3.0"),
    OpenFont("shantell-sans", "5.3.0"),
)
"""By name. Which others there are, and why they are left out: decision 0031."""

PRINTED_FONTS: Final = (
    OpenFont("anonymous-pro", "5.3.0"),
    OpenFont("courier-prime", "5.3.0", ("latin",)),
    OpenFont("cousine", "5.3.0"),
    OpenFont("cutive-mono", "5.3.0", ("latin",)),
    OpenFont("eb-garamond", "5.3.0"),
    OpenFont("ibm-plex-mono", "5.3.0"),
    OpenFont("old-standard-tt", "5.3.0"),
    OpenFont("oswald", "5.3.0"),
    OpenFont("playfair-display", "5.3.0"),
    OpenFont("prata", "5.3.0"),
    OpenFont("pt-mono", "5.3.0"),
    OpenFont("pt-serif", "5.3.0"),
    OpenFont("roboto", "5.3.0"),
    OpenFont("tinos", "5.3.0"),
)
"""Typefaces of books, forms, screens and typewriters, by name: decision 0034."""


@cache
def _read(name: str, file_name: str) -> bytes:
    return (files(__package__) / name / file_name).read_bytes()


@cache
def _find_subset(font: OpenFont, character: str) -> Subset | None:
    return next((subset for subset in font.subsets if _holds(font, subset, character)), None)


def _holds(font: OpenFont, subset: Subset, character: str) -> bool:
    """Return whether a file draws anything but its `.notdef` for a character."""
    if character == " ":
        # Every file has one, and in two fonts the `.notdef` is as blank and as wide.
        return True
    opened = _open_probe(font, subset)
    drawn, notdef = (opened.getmask(text) for text in (character, _IN_NO_FONT))
    return drawn.size != notdef.size or bytes(drawn) != bytes(notdef)


@cache
def _open_probe(font: OpenFont, subset: Subset) -> ImageFont.FreeTypeFont:
    # A layout by raqm would leave out some characters in silence.
    content = BytesIO(_read(font.name, font.file_name(subset)))
    return ImageFont.truetype(content, _PROBE_PX, layout_engine=ImageFont.Layout.BASIC)
