"""Lines set in fonts."""

import numpy as np
import pytest

from bukva.core.fonts import HANDWRITING_FONTS, PRINTED_FONTS
from bukva.tasks.document.drawn_lines import HELD_BACK, draw_lines, set_line
from bukva.tasks.document.wording import draw_wording


def test_half_are_printed_each_in_a_font_of_its_kind() -> None:
    lines = list(draw_lines(2 * len(PRINTED_FONTS), seed=1))
    names = {
        "printed": {font.name for font in PRINTED_FONTS},
        "handwritten": {font.name for font in HANDWRITING_FONTS},
    }
    assert [line.label for line in lines[:4]] == ["handwritten", "printed"] * 2
    assert all(line.group in names[line.label] for line in lines)
    assert {line.group for line in lines} == names["printed"] | names["handwritten"]
    assert all(line.split == HELD_BACK.get(str(line.group), "train") for line in lines)


def test_more_lines_leave_the_former_as_they_were() -> None:
    few, many = list(draw_lines(3, seed=2)), list(draw_lines(6, seed=2))
    for one, other in zip(few, many, strict=False):
        np.testing.assert_array_equal(one.image, other.image)
    assert any(not np.array_equal(one.image, other.image)
               for one, other in zip(few, draw_lines(3, seed=3), strict=True))  # fmt: skip


@pytest.mark.parametrize("font", PRINTED_FONTS, ids=lambda font: font.name)
def test_each_typeface_sets_what_it_holds(font) -> None:
    text = "Ґанок їжак є щось 1918 Été" if "cyrillic" in font.subsets else "Lettre du 3 Été"
    assert all(font.find_subset(character) for character in text.replace(" ", ""))
    ink_HW = set_line(text, font, "printed", np.random.default_rng(1))
    assert ink_HW.max() > 0.6
    assert ink_HW.shape[1] <= 640


def test_wording_is_of_all_kinds() -> None:
    rng = np.random.default_rng(1)
    texts = [draw_wording(rng) for _ in range(300)]
    assert any(text.isupper() for text in texts)
    assert any(text.isdigit() for text in texts)
    assert any(len(text.split()) > 5 for text in texts)
