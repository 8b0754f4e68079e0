"""Whether the probabilities that a recogniser gives can be believed."""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from bukva.core.evaluation.calibration import calibration_bins
from bukva.core.evaluation.figures import style
from bukva.core.evaluation.intervals import wilson_interval
from bukva.tasks.glyph.evaluation.metrics import expected_calibration_error
from bukva.tasks.glyph.evaluation.predictions import (
    has_case,
    is_case_right,
    is_label_right,
    require_predictions,
)

_KEY: Final = (
    Patch(color=style.SKY, label="share right"),
    Patch(fc="none", ec=style.VERMILLION, hatch="////", label="its gap to the mean probability"),
    Line2D([], [], color=style.TEXT, linewidth=1.4, label="95 % interval of the share"),
)


def plot_reliability(predictions: pd.DataFrame) -> Figure:
    """Draw accuracy against confidence for the label, and for the case of letters.

    Raises:
        TableError: If columns are missing or a probability is not in 0..1.
    """
    require_predictions(predictions)
    subtitle = f"{style.describe_corpora(predictions)}. A perfect recogniser follows the diagonal."
    figure = style.new_figure(11, 7, "Reliability: are the probabilities true?", subtitle)
    figure.legend(
        handles=_KEY, loc="outside lower left", ncols=3, frameon=False, labelcolor=style.TEXT
    )
    (label, case), (label_counts, case_counts) = figure.subplots(
        2, 2, sharex=True, height_ratios=(3.4, 1)
    )
    label_probability_N = predictions["label_probability"].to_numpy(dtype=float)
    _draw(label, label_counts, "Label", label_probability_N, is_label_right(predictions))
    letters = predictions[has_case(predictions)]
    uppercase_N = letters["uppercase_probability"].to_numpy(dtype=float)
    case_probability_N = np.maximum(uppercase_N, 1 - uppercase_N)
    _draw(case, case_counts, "Case of letters", case_probability_N, is_case_right(letters))
    return figure


def _draw(
    axes: Axes,
    counts: Axes,
    name: str,
    probability_N: NDArray[np.float64],
    correct_N: NDArray[np.bool_],
) -> None:
    if not len(correct_N):
        style.write_empty(axes, f"{name}: no samples")
        style.write_empty(counts, "")
        return
    bins = calibration_bins(probability_N, correct_N)
    filled = bins[bins["count"] > 0]
    error = expected_calibration_error(probability_N, correct_N)
    style.style_axes(axes, f"{name}: expected calibration error {error:.3f}", grid="y")
    _draw_bins(axes, filled)
    middle, width = (filled["low"] + filled["high"]) / 2, 0.92 / len(bins)
    counts.bar(middle, filled["count"], width=width, color=style.MUTED)
    counts.set(yscale="log", xlabel="probability given", ylabel="samples", ylim=(0.7, None))
    style.style_axes(counts, grid="y")
    style.percent_axis(counts, which="x")


def _draw_bins(axes: Axes, filled: pd.DataFrame) -> None:
    middle, width = (filled["low"] + filled["high"]) / 2, 0.92 * (filled["high"] - filled["low"])
    axes.bar(middle, filled["accuracy"], width=width, color=style.SKY)
    axes.bar(
        middle,
        filled["accuracy"] - filled["confidence"],
        bottom=filled["confidence"],
        width=width,
        facecolor="none",
        edgecolor=style.VERMILLION,
        hatch="////",
        linewidth=0.8,
    )
    axes.vlines(middle, *_wilson_bounds(filled), color=style.TEXT, linewidth=1.4)
    axes.plot([0, 1], [0, 1], color=style.TEXT, linewidth=1, linestyle=(0, (4, 3)))
    axes.set(xlim=(0, 1), ylim=(0, 1.02), ylabel="share right")
    style.percent_axis(axes)


def _wilson_bounds(bins: pd.DataFrame) -> NDArray[np.float64]:
    """Return `(2, bins)`, the ends of the interval of each bin's accuracy."""
    right = (bins["accuracy"] * bins["count"]).round().astype(int)
    bounds = [wilson_interval(*pair) for pair in zip(right, bins["count"], strict=True)]
    return np.array(bounds, dtype=np.float64).T
