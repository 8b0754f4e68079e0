"""What is refused of each kind that shows no symbol, and at which price."""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.metrics import roc_curve

from bukva.evaluation.figures import style
from bukva.evaluation.metrics import Scores
from bukva.evaluation.refusal import kinds_of, split_tests

_LOST_SHOWN: Final = 0.2
_DASHES: Final = ("solid", (0, (4, 2)))


def plot_refusal(predictions: pd.DataFrame, scores: Scores) -> Figure:
    """Draw the share refused of each kind, and how it grows with the symbols given up for it.

    Args:
        predictions: As `measure_refusal` takes it.
        scores: What it gave.
    """
    symbols, outliers = split_tests(predictions)
    subtitle = f"Symbols: {style.describe_corpora(symbols)}."
    if "refusal.kept" in scores:
        subtitle += f" {style.percent(_number(scores, 'refusal.kept'))} of them are kept."
    figure = style.new_figure(13, 5.5, "Refusal of what shows no symbol", subtitle, gap=0.08)
    bars, curves = figure.subplots(1, 2)
    if "refusal.kept" not in scores:
        style.write_empty(bars, "nothing is refused")
        style.write_empty(curves, "")
        return figure
    _draw_shares(bars, scores)
    _draw_curves(curves, symbols, outliers)
    return figure


def _number(scores: Scores, key: str) -> float:
    return float(np.asarray(scores[key], dtype=float))


def _draw_shares(axes: Axes, scores: Scores) -> None:
    keys = [key for key in scores if key.endswith(".refused")][::-1]
    shares = np.array([_number(scores, key) for key in keys])
    bounds = np.array([scores[f"{key}.ci95"] for key in keys], dtype=float).T
    axes.barh(range(len(keys)), shares, color=style.SKY, height=0.62)
    axes.hlines(range(len(keys)), *bounds, color=style.TEXT, linewidth=1.4)
    axes.set_yticks(range(len(keys)), [key.split(".")[1] for key in keys])
    axes.set_xlim(0, 1.01)
    style.style_axes(axes, "Share refused, with its 95 % interval", grid="x")
    style.percent_axis(axes, which="x")


def _draw_curves(axes: Axes, symbols: pd.DataFrame, outliers: pd.DataFrame) -> None:
    for place, (kind, rows) in enumerate(outliers.groupby(kinds_of(outliers))):
        truth_N = np.repeat([False, True], [len(symbols), len(rows)])
        probability_N = np.concatenate([symbols["symbol_probability"], rows["symbol_probability"]])
        lost, refused, _ = roc_curve(truth_N, 1 - probability_N)
        dash = _DASHES[place // len(style.PALETTE) % len(_DASHES)]
        colour = style.PALETTE[place % len(style.PALETTE)]
        axes.plot(lost, refused, color=colour, linestyle=dash, linewidth=1.6, label=str(kind))
    axes.set(xlim=(0, _LOST_SHOWN), ylim=(0, 1.02), xlabel="share of test symbols refused")
    style.style_axes(axes, "Share of each kind refused", grid="both")
    style.percent_axis(axes)
    style.percent_axis(axes, which="x")
    axes.legend(frameon=False, loc="lower right", labelcolor=style.TEXT)
