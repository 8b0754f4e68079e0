from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from bukva.core import fonts
from bukva.core.alphabets import DIGITS, UKRAINIAN
from bukva.core.fonts import HANDWRITING_FONTS, PRINTED_FONTS, OpenFont
from bukva.errors import CharsetError

LETTERS = UKRAINIAN + UKRAINIAN.upper()
LATIN = "".join(chr(code) for code in range(ord("!"), ord("~") + 1))
PUNCTUATION = " —–’«»“”…"
"""What lines of Ukrainian text have beside letters and digits."""

MAX_BYTES = 2_000_000
UNASSIGNED = "\U0010ffff"

ALL_FONTS = (*HANDWRITING_FONTS, *PRINTED_FONTS)
by_font = pytest.mark.parametrize("font", ALL_FONTS, ids=lambda font: font.name)


@pytest.fixture(scope="module")
def folder():
    with as_file(files(fonts)) as path:
        yield path


def draw(font: ImageFont.FreeTypeFont, character: str) -> np.ndarray:
    page = Image.new("L", (200, 200))
    ImageDraw.Draw(page).text((70, 120), character, fill=255, font=font, anchor="ls")
    return np.asarray(page)


@by_font
def test_letters_lie_in_one_file_digits_in_the_other(font: OpenFont) -> None:
    expected = {"cyrillic"} if "cyrillic" in font.subsets else {None}
    assert {font.find_subset(letter) for letter in LETTERS} == expected
    assert {font.find_subset(digit) for digit in DIGITS} == {"latin"}
    lacking = {each for each in LATIN + PUNCTUATION if font.find_subset(each) is None}
    assert lacking <= ({"…"} if font.name == "prata" else set())


@by_font
def test_what_is_drawn_is_never_the_notdef(font: OpenFont) -> None:
    letters = LETTERS if "cyrillic" in font.subsets else ""
    for character in letters + DIGITS + LATIN:
        opened = font.open_for(character, 60)
        drawn = draw(opened, character)
        assert drawn.any()
        assert not np.array_equal(drawn, draw(opened, UNASSIGNED))


@by_font
def test_a_character_that_it_lacks_is_refused(font: OpenFont) -> None:
    assert font.find_subset("漢") is None
    with pytest.raises(CharsetError, match=f"the font {font.name} holds, got '漢'"):
        font.open_for("漢", 60)


def test_the_bird_of_bad_script_is_known_for_what_it_is() -> None:
    (font,) = (font for font in HANDWRITING_FONTS if font.name == "bad-script")
    assert draw(font.open("cyrillic", 60), "7").any()
    assert font.find_subset("7") == "latin"


@by_font
def test_the_licence_travels_with_the_files(font: OpenFont) -> None:
    words = " ".join(font.licence_text.split())
    assert "SIL OPEN FONT LICENSE Version 1.1" in words
    assert "Copyright" in words


def test_the_folder_holds_these_files_and_no_others_in_two_megabytes(folder: Path) -> None:
    listed = {f"{font.name}/LICENSE" for font in ALL_FONTS}
    for font in ALL_FONTS:
        listed |= {f"{font.name}/{font.file_name(subset)}" for subset in font.subsets}
    held = [
        path for path in folder.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")
    ]
    assert {path.relative_to(folder).as_posix() for path in held} == listed
    assert sum(path.stat().st_size for path in held) <= MAX_BYTES


def test_the_names_are_in_order_and_differ() -> None:
    for fonts_of_a_kind in (HANDWRITING_FONTS, PRINTED_FONTS):
        names = [font.name for font in fonts_of_a_kind]
        assert names == sorted(set(names))
    assert len({font.name for font in ALL_FONTS}) == len(ALL_FONTS)
