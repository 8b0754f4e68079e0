import pandas as pd
import pytest
from matplotlib.figure import Figure
from prediction_tables import make_predictions

from bukva.core.evaluation.intervals import wilson_interval
from bukva.errors import TableError
from bukva.tasks.glyph.figures.page_sizes import (
    SIZE_COLUMNS,
    accuracy_by_size,
    plot_accuracy_by_size,
    plot_page_sizes,
)


def make_sized(*heights: float | None) -> pd.DataFrame:
    """Make as many о, every second upper case; all are read as о of lower case."""
    rows = [("о", place % 2 == 1, "о", 0.1) for place in range(len(heights))]
    return make_predictions(*rows).assign(rel_height=pd.Series(heights, dtype=float))


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))]


def find(accuracies: pd.DataFrame, measure: str, low: float) -> pd.Series:
    rows = accuracies[accuracies["measure"].eq(measure) & accuracies["low"].eq(low)]
    assert len(rows) == 1
    return rows.iloc[0]


def test_accuracy_by_size_puts_each_sample_into_its_tenth_of_the_page():
    accuracies = accuracy_by_size(make_sized(0.21, 0.29, 0.25, 0.5, 1.0))
    assert tuple(accuracies.columns) == SIZE_COLUMNS
    small = find(accuracies, "case", 0.2)
    assert (small["n"], small["accuracy"]) == (3, pytest.approx(2 / 3))
    assert (small["ci_low"], small["ci_high"]) == pytest.approx(wilson_interval(2, 3))
    assert find(accuracies, "case", 0.5)["accuracy"] == 0
    assert find(accuracies, "label", 0.9)["high"] == 1.0  # the page's full height
    assert accuracies.loc[accuracies["measure"] == "label", "accuracy"].eq(1).all()


def test_accuracy_by_size_leaves_out_digits_case_and_unknown_pages():
    digits = make_predictions(("3", None, "3", 0.5), ("0", None, "о", 0.5)).assign(rel_height=0.4)
    accuracies = accuracy_by_size(pd.concat([digits, make_sized(None)], ignore_index=True))
    assert accuracies[["measure", "n", "accuracy"]].values.tolist() == [["label", 2, 0.5]]


def test_accuracy_by_size_needs_the_heights():
    with pytest.raises(TableError, match="rel_height"):
        accuracy_by_size(make_sized(0.5).drop(columns="rel_height"))


def test_accuracy_figure_draws_a_point_for_each_bin_with_enough_samples():
    figure = plot_accuracy_by_size(accuracy_by_size(make_sized(*[0.25] * 8, *[0.65] * 8, 0.95)))
    label, case = figure.axes
    assert label.lines[0].get_ydata().tolist() == [1, 1]
    assert case.lines[0].get_ydata().tolist() == [0.5, 0.5]
    assert "paper" in texts(figure)


def test_accuracy_figure_says_that_no_page_is_known():
    figure = plot_accuracy_by_size(accuracy_by_size(make_sized(None, None)))
    assert "Label: no samples whose page is known" in texts(figure)


def test_page_sizes_draw_the_median_of_each_case():
    figure = plot_page_sizes(make_sized(0.2, 0.5, 0.3, 0.6, 0.4, 0.7))
    medians = [
        collection for collection in figure.axes[0].collections if collection.get_label()[0] != "_"
    ]
    drawn = {points.get_label(): points.get_offsets()[:, 1].max() for points in medians}
    assert drawn == pytest.approx({"lower case": 0.3, "upper case": 0.6})
    assert "paper" in texts(figure)


def test_page_sizes_say_that_no_page_is_known():
    assert "no letter whose case and page are known" in texts(plot_page_sizes(make_sized(None)))
