import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bukva.core.evaluation.figures.tuning import plot_importances, plot_parallel, plot_trials
from bukva.errors import TableError

PARAMETERS = ["learning_rate", "augmentation.slant", "schedule"]


@pytest.fixture
def trials() -> pd.DataFrame:
    """Five complete trials, one pruned, one killed, one that waits."""
    return pd.DataFrame({
        "number": range(8),
        "state": [
            *["complete", "complete", "pruned", "complete", "fail"],
            *["complete", "complete", "waiting"],
        ],
        "value": [0.9, 0.5, 2.0, 0.7, np.nan, 0.4, 0.6, np.nan],
        "learning_rate": [0.001, 0.01, 0.1, 0.01, 0.01, 0.1, 0.05, np.nan],
        "augmentation.slant": [0.0, 0.5, 1.0, 0.25, 0.5, 1.0, 0.1, np.nan],
        "schedule": ["one_cycle", "plateau", "one_cycle", "plateau", *["one_cycle"] * 3, None],
    })  # fmt: skip


def only_axes(figure: Figure) -> Axes:
    figure.canvas.draw()
    return figure.axes[0]


def texts(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


@pytest.mark.parametrize(
    ("is_maximised", "expected"), [(False, [0.9, 0.5, 0.5, 0.4, 0.4]), (True, [0.9] * 5)]
)
def test_the_best_so_far_follows_the_complete_trials(trials, is_maximised, expected):
    axes = only_axes(plot_trials(trials, "valid_loss", is_maximised=is_maximised))
    best = next(line for line in axes.lines if line.get_label() == "best so far")
    np.testing.assert_allclose(best.get_ydata(), expected)
    np.testing.assert_array_equal(best.get_xdata(), [0, 1, 3, 5, 6])
    pruned, complete = axes.collections
    assert pruned.get_offsets().tolist() == [[2.0, 2.0]]
    assert len(complete.get_offsets()) == 5


def test_importances_are_bars_from_the_largest_down():
    shares = pd.Series({"learning_rate": 0.7, "augmentation.slant": 0.3})
    axes = only_axes(plot_importances(shares, "valid_loss"))
    assert [bar.get_width() for bar in axes.patches] == [0.7, 0.3]
    assert texts(axes) == ["70 %", "30 %"]
    assert axes.yaxis_inverted()


def test_each_complete_trial_is_a_line_and_the_best_lies_on_top(trials):
    figure = plot_parallel(trials, PARAMETERS, "valid_loss", logarithmic={"learning_rate"})
    axes = only_axes(figure)
    lines = [line.get_ydata() for line in axes.lines if len(line.get_xdata()) == 4]
    assert len(lines) == 5
    # The best: highest rate and slant, one_cycle, lowest loss; the first drawn is the worst.
    np.testing.assert_allclose(lines[-1], [1.0, 1.0, 0.0, 0.0])
    np.testing.assert_allclose(lines[0], [0.0, 0.0, 0.0, 1.0])
    # 0.01 is in the middle of 0.001 and 0.1.
    assert {"0.001", "0.01", "0.1", "one_cycle", "plateau"} <= set(texts(axes))
    middle = [line for line in lines if line[3] == pytest.approx(0.2)]
    assert middle[0][0] == pytest.approx(0.5)


def test_the_best_accuracy_lies_on_top_where_more_is_better(trials):
    axes = only_axes(plot_parallel(trials, PARAMETERS, "valid_label_accuracy", is_maximised=True))
    lines = [line.get_ydata() for line in axes.lines if len(line.get_xdata()) == 4]
    assert lines[-1][3] == 1.0


def test_equal_values_lie_in_the_middle_of_their_axis(trials):
    axes = only_axes(plot_parallel(trials.assign(schedule="plateau"), PARAMETERS, "valid_loss"))
    lines = [line.get_ydata() for line in axes.lines if len(line.get_xdata()) == 4]
    assert {line[2] for line in lines} == {0.5}


def test_figures_say_why_they_are_empty(trials):
    unfinished = trials.assign(state="pruned")
    for figure in (
        plot_trials(unfinished, "valid_loss", is_maximised=False),
        plot_parallel(unfinished, PARAMETERS, "valid_loss"),
        plot_parallel(unfinished.head(0), PARAMETERS, "valid_loss"),
    ):
        assert texts(only_axes(figure)) == ["no trial has come to its end"]
    nothing = plot_importances(pd.Series(dtype="float64"), "valid_loss")
    assert "too few complete trials" in texts(only_axes(nothing))[0]


def test_a_table_without_the_columns_is_refused(trials):
    with pytest.raises(TableError, match="value"):
        plot_trials(trials.drop(columns="value"), "valid_loss", is_maximised=False)
    with pytest.raises(TableError, match="dropout"):
        plot_parallel(trials, ["dropout"], "valid_loss")
