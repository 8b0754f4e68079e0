"""How a picture is answered for."""

import subprocess
import sys

import cv2
import numpy as np
import pytest

from bukva.core.imaging.upscaling import encode_page
from bukva.tasks.document.answer import LABELS
from bukva.tasks.document.framing import Piece
from bukva.tasks.document.recogniser import DocumentRecogniser, Reading, to_answer


def page(height: int = 300, width: int = 500, tone: int = 225) -> np.ndarray:
    return np.full((height, width), tone, np.uint8)


def written(lines: int = 4) -> np.ndarray:
    page_HW = page()
    for place in range(lines):
        text = f"line {place} here"
        cv2.putText(page_HW, text, (30, 60 + 60 * place), cv2.FONT_HERSHEY_SIMPLEX, 1.1, 20, 2)
    return page_HW


def reading(*hands: float, widths: tuple[int, ...] = ()) -> Reading:
    """Return a reading of lines of which each is handwritten with a probability."""
    sizes = widths or tuple(100 for _ in hands)
    pieces = [Piece(20 * line, 0, 20 * line + 16, width, line) for line, width in enumerate(sizes)]
    rows_NK = np.array([[hand, 1 - hand] for hand in hands], dtype=np.float32)
    framed_NHW = np.zeros((len(hands), 64, 512), np.uint8)
    maps_NKhw = np.zeros((len(hands), 2, 4, 32), np.float32)
    return Reading(pieces, framed_NHW, rows_NK, maps_NKhw, 2.0, (400, 400))


def test_parts_lie_where_the_lines_are(recogniser: DocumentRecogniser) -> None:
    [answer] = recogniser.answer([encode_page(written())])
    assert answer.label in (*LABELS, "mixed")
    assert len(answer.parts) == 4
    for place, part in enumerate(answer.parts):
        middle = part.box.top + part.box.height / 2
        assert abs(middle - (48 + 60 * place)) < 15
        assert 0.5 <= part.confidence <= 1


def test_a_large_scan_is_read_at_reduced_scale_and_answered_in_its_own_pixels(
    recogniser: DocumentRecogniser,
) -> None:
    large_HW = cv2.resize(written(), None, fx=4.0, fy=4.0, interpolation=cv2.INTER_CUBIC)
    answer = recogniser.answer_pixels(large_HW)
    small = recogniser.answer_pixels(written())
    assert len(answer.parts) == len(small.parts)
    assert answer.parts[0].box.left == pytest.approx(4 * small.parts[0].box.left, abs=16)


def test_a_blank_page_is_blank_and_a_broken_image_harms_no_other(
    recogniser: DocumentRecogniser,
) -> None:
    images = [encode_page(page()), b"no image", encode_page(written())]
    blank, broken, fine = recogniser.answer(images)
    assert (blank.label, blank.confidence, blank.parts) == ("blank", None, [])
    assert (broken.label, broken.error) == (None, "unsupported_format")
    assert fine.error is None
    assert fine.label is not None


def test_a_picture_of_one_row_is_refused(recogniser: DocumentRecogniser) -> None:
    [answer] = recogniser.answer([encode_page(page(1, 300))])
    assert answer.error == "image_too_small"
    assert "300 x 1" in str(answer.error_detail)


def test_lines_of_one_kind_are_that_kind() -> None:
    answer = to_answer(reading(0.9, 0.95, 0.4, 0.9))
    assert answer.label == "handwritten"
    assert answer.confidence == pytest.approx(np.mean([0.9, 0.95, 0.4, 0.9]), abs=1e-6)
    assert [part.label for part in answer.parts].count("printed") == 1


def test_lines_of_both_kinds_are_mixed_if_both_are_sure() -> None:
    answer = to_answer(reading(0.97, 0.95, 0.02, 0.9))
    assert answer.label == "mixed"
    assert answer.confidence == pytest.approx(0.97)
    assert [part.label for part in answer.parts] == [
        "handwritten", "handwritten", "printed", "handwritten",
    ]  # fmt: skip
    assert answer.parts[2].box.top == 80


def test_a_speck_of_another_kind_makes_nothing_mixed() -> None:
    assert to_answer(reading(0.98, 0.98, 0.02, widths=(300, 300, 12))).label == "handwritten"


def test_pieces_of_a_line_become_one_part() -> None:
    several = reading(0.9, 0.8)
    one_line = [Piece(0, 0, 20, 90, 0), Piece(0, 100, 20, 200, 0)]
    [part] = to_answer(several._replace(pieces=one_line)).parts
    assert (part.box.left, part.box.width, part.label) == (0, 400, "handwritten")


def test_logits_are_the_mean_of_the_maps_where_ink_is(
    recogniser: DocumentRecogniser, lines: tuple
) -> None:
    _, images_NHW = lines
    logits_NK, maps_NKhw = recogniser.logits_and_maps(images_NHW[:5])
    cells = images_NHW[:5].reshape(5, 4, 16, 32, 16).max(axis=(2, 4)) > 0.3 * 255
    weights = cells[:, None].astype(float)
    means_NK = (maps_NKhw * weights).sum(axis=(2, 3)) / weights.sum(axis=(2, 3))
    np.testing.assert_allclose(logits_NK, means_NK, atol=1e-4)


def test_what_answers_needs_neither_torch_nor_matplotlib() -> None:
    program = (
        "import sys, bukva.tasks.document.task, bukva.tasks.document.explanation\n"
        "assert not {'torch', 'matplotlib', 'sklearn'} & set(sys.modules), 'loaded'"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
