"""Which label is read as which, and which case as the other.

Shapes: K = 43 labels, L letters.
"""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import PowerNorm, to_rgba
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bukva.core.alphabets import DIGITS
from bukva.core.evaluation.figures import style
from bukva.tasks.glyph.charset import LABELS, LETTERS
from bukva.tasks.glyph.evaluation.predictions import (
    CASE_THRESHOLD,
    confusion_matrix,
    has_case,
    is_case_right,
    require_predictions,
)

_WRITTEN_FROM = 0.01


def plot_label_confusion(predictions: pd.DataFrame) -> Figure:
    """Draw the 43 x 43 confusion matrix, each row in shares of the true label's samples.

    Mistakes stand out in orange with their percentage; the diagonal is pale with the recall.

    Raises:
        TableError: If columns are missing.
    """
    require_predictions(predictions)
    counts_KK = confusion_matrix(predictions)
    shares_KK = counts_KK / np.maximum(counts_KK.sum(axis=1, keepdims=True), 1)
    accuracy = counts_KK.trace() / max(int(counts_KK.sum()), 1)
    subtitle = f"{style.describe_corpora(predictions)}, {style.percent(accuracy)} right. "
    subtitle += "Rows: percent of the true label's samples; no sample where the row is grey."
    figure = style.new_figure(13, 13, "Labels: what was written, what was read", subtitle)
    axes = figure.add_subplot()
    mistakes_KK = shares_KK * ~np.eye(len(LABELS), dtype=bool)
    norm = PowerNorm(0.5, vmin=0, vmax=max(0.05, float(mistakes_KK.max())))
    axes.imshow(_confusion_colours(shares_KK, mistakes_KK, norm), interpolation="nearest")
    _label_both_sides(axes)
    _write_shares(axes, shares_KK, float(norm.vmax or 1))
    bar = figure.colorbar(
        ScalarMappable(norm, "Oranges"), ax=axes, shrink=0.35, pad=0.01, aspect=30
    )
    bar.set_label("share of the row read wrongly", color=style.MUTED, size=9)
    bar.outline.set_visible(False)
    style.percent_axis(bar.ax)
    bar.ax.tick_params(labelsize=8, color=style.LINE)
    return figure


def _confusion_colours(
    shares_KK: NDArray[np.float64], mistakes_KK: NDArray[np.float64], norm: PowerNorm
) -> NDArray[np.float64]:
    """Return `(K, K, 4)` colours: mistakes orange, recall pale blue, rows without samples grey."""
    colours_KK4 = mpl.colormaps["Oranges"](norm(mistakes_KK))
    colours_KK4[mistakes_KK == 0] = to_rgba("white")
    diagonal = np.arange(len(LABELS))
    colours_KK4[diagonal, diagonal] = mpl.colormaps["Blues"](0.35 * shares_KK.diagonal())
    colours_KK4[shares_KK.sum(axis=1) == 0] = to_rgba(style.GROUND)
    return np.asarray(colours_KK4, dtype=np.float64)


def _label_both_sides(axes: Axes) -> None:
    places = np.arange(len(LABELS))
    axes.set_xticks(places, list(LABELS), size=11)
    axes.set_yticks(places, list(LABELS), size=11)
    axes.tick_params(top=True, labeltop=True, right=True, labelright=True)
    style.hide_frame(axes)
    axes.set_xticks(places[1:] - 0.5, minor=True)
    axes.set_yticks(places[1:] - 0.5, minor=True)
    axes.grid(which="minor", color=style.GROUND, linewidth=0.6)
    axes.tick_params(which="minor", length=0)
    for draw in (axes.axhline, axes.axvline):
        draw(len(DIGITS) - 0.5, color=style.MUTED, linewidth=0.8)
    axes.set_xlabel("read as", color=style.MUTED, size=11)
    axes.set_ylabel("written", color=style.MUTED, size=11)


def _write_shares(axes: Axes, shares_KK: NDArray[np.float64], darkest: float) -> None:
    """Write percentages from 1 % into the cells, white on dark ones."""
    for row, column in zip(*np.nonzero(shares_KK >= _WRITTEN_FROM), strict=True):
        share, is_right = shares_KK[row, column], row == column
        is_dark = not is_right and share > 0.45 * darkest
        colour = "white" if is_dark else style.MUTED if is_right else style.TEXT
        text = f"{100 * share:.0f}"
        axes.text(column, row, text, ha="center", va="center", size=7, color=colour)


def plot_case_confusion(predictions: pd.DataFrame) -> Figure:
    """Draw which case is taken for the other: over all letters, and letter by letter.

    Only letters whose case is known count; the label may be right or wrong.

    Raises:
        TableError: If columns are missing.
    """
    require_predictions(predictions)
    letters = predictions[has_case(predictions)]
    accuracy = float(is_case_right(letters).mean()) if len(letters) else 0.0
    subtitle = "No letter whose case is known."
    if len(letters):
        subtitle = f"{style.describe_corpora(letters)}, {style.percent(accuracy)} right"
    figure = style.new_figure(13, 5, "Case: upper and lower", subtitle)
    matrix, bars = figure.subplots(1, 2, width_ratios=(1, 3.1))
    if letters.empty:
        style.write_empty(matrix, "")
        style.write_empty(bars, "nothing to show")
        return figure
    is_upper_N = letters["is_uppercase"].to_numpy(dtype=bool)
    says_upper_N = (letters["uppercase_probability"] >= CASE_THRESHOLD).to_numpy(dtype=bool)
    _draw_case_matrix(matrix, is_upper_N, says_upper_N)
    _draw_case_errors(bars, letters["label"], is_upper_N, says_upper_N)
    return figure


def _draw_case_matrix(
    axes: Axes, is_upper_N: NDArray[np.bool_], says_upper_N: NDArray[np.bool_]
) -> None:
    counts_22 = np.bincount(2 * is_upper_N + says_upper_N, minlength=4).reshape(2, 2)
    shares_22 = counts_22 / np.maximum(counts_22.sum(axis=1, keepdims=True), 1)
    colours_224 = mpl.colormaps["Oranges"](0.9 * np.sqrt(shares_22))
    colours_224[[0, 1], [0, 1]] = mpl.colormaps["Blues"](0.35 * shares_22.diagonal())
    axes.imshow(colours_224)
    for (row, column), share in np.ndenumerate(shares_22):
        is_dark = row != column and share > 0.4
        colour = "white" if is_dark else style.TEXT
        axes.text(column, row - 0.06, style.percent(share), ha="center", size=14, color=colour)
        text = f"{counts_22[row, column]:,}"
        axes.text(column, row + 0.2, text, ha="center", size=9, color=colour)
    axes.set_xticks([0, 1], ["lower", "upper"], size=10)
    axes.set_yticks([0, 1], ["lower", "upper"], size=10, rotation=90, va="center")
    axes.set_xlabel("read as", color=style.MUTED, size=9)
    axes.set_ylabel("written", color=style.MUTED, size=9)
    style.hide_frame(axes)


def _draw_case_errors(
    axes: Axes, label: pd.Series, is_upper_N: NDArray[np.bool_], says_upper_N: NDArray[np.bool_]
) -> None:
    errors = pd.DataFrame(
        {
            "lower read as upper": ~is_upper_N & says_upper_N,
            "upper read as lower": is_upper_N & ~says_upper_N,
        }
    )
    by_letter = errors.groupby(label.to_numpy()).mean()
    by_letter = by_letter.loc[
        by_letter.sum(axis=1).sort_values(ascending=False, kind="stable").index
    ]
    places, bottom_L = np.arange(len(by_letter)), np.zeros(len(by_letter))
    for column, colour in zip(by_letter, (style.BLUE, style.VERMILLION), strict=True):
        axes.bar(places, by_letter[column], bottom=bottom_L, color=colour, width=0.72, label=column)
        bottom_L += by_letter[column].to_numpy()
    axes.set_xlim(-0.7, len(LETTERS) - 0.3)
    axes.set_ylim(0, max(0.02, 1.1 * float(bottom_L.max())))
    style.style_axes(axes, "Share of each letter's samples with the wrong case", grid="y")
    axes.set_xticks(places, by_letter.index, size=12)
    axes.tick_params(axis="x", length=0, labelsize=12)
    style.percent_axis(axes)
    axes.legend(frameon=False, loc="upper right", fontsize=9, labelcolor=style.TEXT)
