"""Pictures of paper with and without a line, and what is left of them in the frame."""

import numpy as np

from bukva.core.arrays import UInt8Array
from bukva.core.fonts import HANDWRITING_FONTS
from bukva.tasks.line.degradation import bend
from bukva.tasks.line.font_lines import set_in_font
from bukva.tasks.line.framing import HEIGHT, frame_line
from bukva.tasks.line.photographed import frame_photograph, photograph_blank, photograph_line


def draw(rng: np.random.Generator, text: str = "Їжак приніс яблуко") -> UInt8Array:
    font = HANDWRITING_FONTS[int(rng.integers(len(HANDWRITING_FONTS)))]
    return bend(set_in_font(text, font, rng)[0], rng, 0.5)


def test_most_lines_are_found_again_on_their_paper() -> None:
    found = 0
    for seed in range(24):
        rng = np.random.default_rng(seed)
        ink_HW = draw(rng)
        framed = frame_photograph(photograph_line(ink_HW, rng))
        if framed is None:
            continue
        assert framed.ink_hw.shape[0] == HEIGHT
        found += 0.6 < framed.ink_hw.shape[1] / ink_HW.shape[1] < 1.7
    assert found >= 19


def test_too_long_a_line_is_not_photographed() -> None:
    rng = np.random.default_rng(1)
    assert photograph_line(draw(rng, "довгий рядок " * 8), rng) is None
    assert frame_photograph(None) is None


def test_paper_alone_is_now_and_then_something_to_the_framing() -> None:
    rng = np.random.default_rng(1)
    pictures = [photograph_blank(rng) for _ in range(16)]
    assert all(picture.ndim == 3 and picture.dtype == np.uint8 for picture in pictures)
    assert len({frame_photograph(picture) is None for picture in pictures}) == 2
    seen = next(picture for picture in pictures if frame_photograph(picture))
    assert not frame_line(seen).is_empty
