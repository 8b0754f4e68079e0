"""What was read rightly and wrongly, how surely, and lines to look at.

Shapes: N lines, H x W pixels.
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bukva.core.arrays import UInt8Array
from bukva.core.evaluation.calibration import calibration_bins
from bukva.core.evaluation.figures import style
from bukva.tasks.line.evaluation.scores import line_tenths, words_of
from bukva.tasks.line.evaluation.tables import choose_worst

_MOST_CONFUSIONS = 18
_USUAL_SEED = 1


def plot_scores(
    predictions: pd.DataFrame, strata: pd.DataFrame, confusions: pd.DataFrame
) -> Figure:
    """Draw error rates by collection and length, confusions, and whether confidences are true."""
    subtitle = f"{len(predictions):,} lines of the test split; characters and words misread"
    figure = style.new_figure(14, 9, "What is read wrongly", subtitle, gap=0.06)
    (collections, lengths), (errors, sureness) = figure.subplots(2, 2)
    _draw_rates(collections, strata, "collection", "By collection")
    _draw_rates(lengths, strata, "characters", "By length of the text, in characters")
    _draw_confusions(errors, confusions.head(_MOST_CONFUSIONS))
    _draw_sureness(sureness, predictions)
    return figure


def _draw_rates(axes: Axes, strata: pd.DataFrame, by: str, title: str) -> None:
    rows = strata[strata["by"].eq(by)]
    style.style_axes(axes, title, grid="y")
    places_N = np.arange(len(rows))
    for shift, measure, colour in ((-0.2, "cer", style.BLUE), (0.2, "wer", style.SKY)):
        axes.bar(places_N + shift, rows[measure], 0.38, color=colour, label=measure.upper())
    axes.set_xticks(places_N, list(rows["value"]), rotation=20, ha="right")
    highest = float(rows[["cer", "wer"]].to_numpy().max()) if len(rows) else 1.0
    axes.set_ylim(0, 1.25 * max(highest, 0.01))  # room for the legend
    axes.legend(frameon=False, fontsize=9, loc="upper right", ncols=2)
    style.percent_axis(axes)


def _draw_confusions(axes: Axes, confusions: pd.DataFrame) -> None:
    style.style_axes(axes, "Most frequent edits: written → read", grid="x")
    if confusions.empty:
        style.write_empty(axes, "nothing was misread")
        return
    rows = confusions.iloc[::-1]
    names = [f"{one} → {other}" for one, other in zip(rows["written"], rows["read"], strict=True)]
    axes.barh(names, rows["count"], color=style.VERMILLION)


def _draw_sureness(axes: Axes, predictions: pd.DataFrame) -> None:
    style.style_axes(axes, "Share right, by confidence", grid="both")
    axes.plot([0, 1], [0, 1], color=style.TEXT, linewidth=1, linestyle=(0, (4, 3)))
    confidence, right = words_of(predictions)
    if len(confidence):
        bins = calibration_bins(confidence, right, bins=10)
        filled = bins[bins["count"] > 0]
        axes.plot(filled["confidence"], filled["accuracy"], "o-", color=style.BLUE, label="words")
    tenths = line_tenths(predictions)
    axes.plot(tenths["confidence"], tenths["right"], "s-", color=style.ORANGE,
              label="characters of a line")  # fmt: skip
    axes.legend(frameon=False, fontsize=9)
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), xlabel="confidence")
    style.percent_axis(axes)
    style.percent_axis(axes, which="x")


def plot_lines(predictions: pd.DataFrame, images_NHW: UInt8Array, count: int) -> Figure:
    """Draw the worst lines and usual ones: as the network sees them, as written, as read.

    Args:
        predictions: Of the test split.
        images_NHW: Row-aligned with it.
        count: Of either.
    """
    rows = predictions.reset_index(drop=True)
    worst = choose_worst(rows, count).index
    rng = np.random.default_rng(_USUAL_SEED)
    usual = np.sort(rng.permutation(len(rows))[:count])
    chosen = [*worst, *usual]
    subtitle = (
        "The worst first, then some drawn at random: above what is written, below what is read"
    )
    figure = style.new_figure(13, 1 + 0.8 * max(1, len(chosen)), "Lines and their texts", subtitle)
    if not chosen:
        style.write_empty(figure.add_subplot(), "no line was tested")
        return figure
    for axes, place in zip(np.atleast_1d(figure.subplots(len(chosen), 1)), chosen, strict=True):
        row = rows.loc[place]
        width = max(int(row["width_px"]), 4)
        axes.imshow(255 - images_NHW[place][:, :width], cmap="gray", vmin=0, vmax=255)
        axes.set_axis_off()
        axes.set_anchor("W")
        is_right = row["character_edits"] == 0
        colour = style.TEXT if is_right else style.VERMILLION
        axes.set_title(f"{row['collection']}: {row['text']}", size=8, loc="left", pad=2)
        axes.text(0, 52, f"{row['found'] or '(nothing)'}   [{row['confidence']:.2f}]", size=8,
                  color=colour, va="top")  # fmt: skip
    return figure
