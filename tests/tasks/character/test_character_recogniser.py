"""How one character is framed and answered for."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from bukva.core.export import export_classifier
from bukva.core.imaging.upscaling import encode_page
from bukva.errors import EmptyImageError
from bukva.tasks.character.networks import NETWORKS, build_network
from bukva.tasks.character.recogniser import FRAME_PX, CharacterRecogniser, frame


def draw_seven(height: int, width: int, ink: int = 0, ground: int = 255) -> np.ndarray:
    """Return a page with a 7 somewhere on it."""
    page = Image.new("L", (width, height), ground)
    pen = ImageDraw.Draw(page)
    left, top, size = width // 2, height // 4, min(width, height) // 3
    points = [(left, top), (left + size, top), (left + size // 3, top + 2 * size)]
    pen.line(points, fill=ink, width=max(2, size // 8))
    return np.asarray(page)


@pytest.fixture(scope="module")
def recogniser() -> CharacterRecogniser:
    torch.manual_seed(1)
    network = build_network("cnn", classes=10, width=4, dropout=0.0).eval()
    images_NHW = np.random.default_rng(1).integers(0, 255, (4, FRAME_PX, FRAME_PX), np.uint8)
    return CharacterRecogniser(export_classifier(network, {"labels": "0123456789"}, images_NHW))


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_tells_classes_apart(name: str) -> None:
    network = build_network(name, classes=7, width=6, dropout=0.5).eval()
    with torch.inference_mode():
        logits_BK = network(torch.rand(3, 1, FRAME_PX, FRAME_PX))
    assert logits_BK.shape == (3, 7)
    assert float(logits_BK.std(dim=0).min()) > 0


@pytest.mark.parametrize("size", [(60, 60), (200, 90), (90, 400)])
def test_ink_fills_the_middle_of_the_frame(size: tuple[int, int]) -> None:
    framed_HW = frame(draw_seven(*size))
    assert framed_HW.shape == (FRAME_PX, FRAME_PX)
    rows, columns = np.nonzero(framed_HW > 60)
    assert max(np.ptp(rows), np.ptp(columns)) + 1 in (23, 24)
    assert abs(rows.min() - (FRAME_PX - 1 - rows.max())) <= 1
    assert abs(columns.min() - (FRAME_PX - 1 - columns.max())) <= 1


def test_light_on_dark_is_the_same_character() -> None:
    dark_HW = frame(draw_seven(100, 100))
    light_HW = frame(draw_seven(100, 100, ink=255, ground=0))
    np.testing.assert_array_equal(dark_HW, light_HW)


def test_a_blank_page_is_refused(recogniser: CharacterRecogniser) -> None:
    blank_HW = np.full((50, 50), 200, np.uint8)
    with pytest.raises(EmptyImageError, match="one tone"):
        frame(blank_HW)
    [answer] = recogniser.answer([encode_page(blank_HW)])
    assert (answer.error, answer.character, answer.alternatives) == ("empty_image", None, [])


def test_the_likeliest_comes_first(recogniser: CharacterRecogniser) -> None:
    [answer] = recogniser.answer([encode_page(draw_seven(100, 100))])
    shares = [each.probability for each in answer.alternatives]
    assert shares == sorted(shares, reverse=True)
    assert len(shares) == 5
    assert (answer.character, answer.confidence) == (
        answer.alternatives[0].character,
        answer.alternatives[0].probability,
    )
