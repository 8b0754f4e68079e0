import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from prediction_tables import make_predictions

from bukva.errors import TableError
from bukva.tasks.glyph.figures.mistakes import plot_gallery, plot_rows

PREDICTIONS = make_predictions(*[("з", None, read, 0.5) for read in "зз33з"])
IMAGES = np.stack([np.full((28, 28), shade, np.uint8) for shade in (10, 20, 30, 40, 50)])


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))]


def rows_of(figure: Figure) -> list[str]:
    return [tick.get_text() for tick in figure.axes[0].get_yticklabels()]


def test_gallery_writes_the_words_of_each_image():
    figure = plot_gallery(IMAGES[:2], ["one", "two"], ["left", "right"], "Some", "of five")
    shown = [axes for axes in figure.axes if axes.images]
    assert [axes.get_title() for axes in shown] == ["one", "two"]
    assert [axes.images[0].get_array().max() for axes in shown] == [10, 20]
    assert {"left", "right", "Some", "of five"} <= set(texts(figure))


def test_empty_gallery_says_so():
    assert "there are none" in texts(plot_gallery(IMAGES[:0], [], [], "None"))


def test_rows_show_their_own_samples_in_the_given_order():
    read = PREDICTIONS["predicted_label"]
    figure = plot_rows(IMAGES, PREDICTIONS, read, ["3", "з", "э"], "Written з")
    assert rows_of(figure) == ["3", "з", "э"]
    canvas = 255 * (1 - np.asarray(figure.axes[0].images[0].get_array())[..., 0])
    top, middle, bottom = (set(np.unique(band.round())) for band in np.split(canvas, 3))
    assert (top, middle, bottom) == ({0, 30, 40}, {0, 10, 20, 50}, {0})


def test_rows_leave_out_what_has_no_name_there():
    nothing = pd.Series([None] * 5, dtype="str")
    assert "there are none" in texts(plot_rows(IMAGES, PREDICTIONS, nothing, ["з"], "None"))


def test_rows_need_an_image_for_each_sample():
    with pytest.raises(TableError, match="each of 5 rows, got 2"):
        plot_rows(IMAGES[:2], PREDICTIONS, PREDICTIONS["label"], ["з"], "Too few")
