"""The picture of the stroke alphabet."""

from bukva.tasks.glyph.strokes.writing import SIDE_PX
from stroke_alphabet import contact_sheet


def test_the_contact_sheet_has_a_strip_for_each_form() -> None:
    sheet = contact_sheet(hands_per_form=2, forms_per_row=2, symbols="ґ7")
    assert sheet.mode == "L"
    assert sheet.size == (2 * 3 * SIDE_PX, 5 * SIDE_PX)
