import numpy as np
import pytest
from prediction_tables import make_predictions

from bukva.errors import TableError
from bukva.tasks.glyph.figures.mistakes import plot_explained_mistakes

MISTAKES = make_predictions(("з", None, "3", 0.5), ("о", None, "0", 0.5))
MISTAKES["label_probability"] = [0.9, 0.8]
IMAGES = np.zeros((2, 28, 28), np.uint8)
IMAGES[:, 12:16, 12:16] = 255


def tiles_of(figure, count):
    """The tiles of each mistake, without the gaps between them."""
    shown = [np.asarray(axes.images[0].get_array()) for axes in figure.axes if axes.images]
    return [
        np.stack([canvas[:, 120 * i : 120 * i + 112] for i in range(count)]) for canvas in shown
    ]


def test_each_mistake_stands_beside_its_maps():
    upper_left = np.zeros((2, 7, 7), np.float32)
    upper_left[:, 0, 0] = 3.0
    lower_right = np.zeros((2, 28, 28), np.float32)
    lower_right[:, 20:, 20:] = 0.2
    maps = {"Grad-CAM": upper_left, "occlusion": lower_right}
    figure = plot_explained_mistakes(IMAGES, MISTAKES, maps)
    assert [axes.get_title() for axes in figure.axes if axes.images] == [
        "з → 3  0.90",
        "о → 0  0.80",
    ]
    for tiles in tiles_of(figure, 3):
        ink = tiles[:, 56, 56]
        assert (ink < 0.3).all(), "the ink is on each of them"
        blueness = tiles[..., 2]
        assert (blueness[0, :20, :20] == 1).all()
        assert blueness[1, 3, 3] < 0.3 < blueness[1, 100, 100]
        assert blueness[2, 100, 100] < 0.3 < blueness[2, 3, 3]


def test_what_speaks_against_the_answer_is_not_coloured():
    against = np.full((2, 28, 28), -0.5, np.float32)
    [tiles, _] = tiles_of(plot_explained_mistakes(IMAGES, MISTAKES, {"occlusion": against}), 2)
    np.testing.assert_array_equal(tiles[0], tiles[1])


def test_no_mistake_is_said_to_be_none():
    figure = plot_explained_mistakes(IMAGES[:0], MISTAKES[:0], {})
    assert "nothing is misread" in [text.get_text() for text in figure.axes[0].texts]


def test_each_mistake_needs_its_image():
    with pytest.raises(TableError, match="each of 2 rows, got 1"):
        plot_explained_mistakes(IMAGES[:1], MISTAKES, {})
