"""What an answer rests on, as a map and as a picture."""

import io

import numpy as np
import pytest
from PIL import Image

from bukva.core.imaging.upscaling import encode_page
from bukva.errors import ParameterError
from bukva.tasks.document.drawn_lines import draw_lines
from bukva.tasks.document.evaluation.pictures import stack_lines
from bukva.tasks.document.explanation import METHODS, Method, draw_overlay, explain
from bukva.tasks.document.recogniser import DocumentRecogniser


@pytest.fixture(scope="module")
def image() -> bytes:
    lines = [line.image for line in draw_lines(4, seed=3)]
    return encode_page(stack_lines(lines, np.random.default_rng(1)))


@pytest.mark.parametrize("method", METHODS)
def test_a_map_covers_the_picture_and_lies_within_the_parts(
    recogniser: DocumentRecogniser, image: bytes, method: Method
) -> None:
    explanation = explain(recogniser, image, method)
    width, height = Image.open(io.BytesIO(image)).size
    assert (explanation.box.width, explanation.box.height) == (width, height)
    assert explanation.map_hw.min() >= 0
    assert explanation.map_hw.max() <= 1
    assert explanation.answer == recogniser.answer([image])[0]
    scale = explanation.map_hw.shape[0] / height
    covered_hw = np.zeros(explanation.map_hw.shape, dtype=bool)
    for part in explanation.answer.parts:
        box = part.box
        rows = slice(int(scale * box.top), int(scale * (box.top + box.height)) + 2)
        covered_hw[rows, int(scale * box.left) : int(scale * (box.left + box.width)) + 2] = True
    assert explanation.map_hw[~covered_hw].max(initial=0) < 0.05


def test_an_overlay_is_a_picture_of_the_same_size_with_colours(
    recogniser: DocumentRecogniser, image: bytes
) -> None:
    drawn = Image.open(io.BytesIO(draw_overlay(image, explain(recogniser, image))))
    assert drawn.format == "PNG"
    assert drawn.size == Image.open(io.BytesIO(image)).size
    red, _, blue = drawn.convert("RGB").split()
    assert np.any(np.asarray(red) != np.asarray(blue))


def test_a_blank_page_has_an_empty_map(recogniser: DocumentRecogniser) -> None:
    image = encode_page(np.full((80, 200), 200, np.uint8))
    explanation = explain(recogniser, image)
    assert explanation.answer.label == "blank"
    assert not explanation.map_hw.any()
    assert draw_overlay(image, explanation).startswith(b"\x89PNG")


def test_an_unknown_method_is_refused(recogniser: DocumentRecogniser, image: bytes) -> None:
    with pytest.raises(ParameterError, match="'guess'"):
        explain(recogniser, image, "guess")  # type: ignore[arg-type]
