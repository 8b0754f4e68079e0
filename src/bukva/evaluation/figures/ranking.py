"""ROC curves of labels and case, and risk against coverage."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bukva.evaluation.figures import style
from bukva.evaluation.predictions import has_case, require_columns
from bukva.evaluation.ranking import (
    RocCurve,
    label_roc,
    macro_roc,
    measure_roc,
    micro_roc,
    risk_coverage,
)

_HARDEST: Final = 3
_LEAST_RATE: Final = 1e-4
_COVERAGE: Final = 0.9


def plot_roc(predictions: pd.DataFrame) -> Figure:
    """Draw ROC curves: each label against all others, and upper case against lower by corpus.

    Raises:
        TableError: If columns are missing.
    """
    require_columns(predictions)
    subtitle = f"{style.describe_corpora(predictions)}. Chance lets in as much of both."
    figure = style.new_figure(12, 5.6, "ROC: what a threshold finds, and lets in", subtitle)
    labels, case = figure.subplots(1, 2)
    _draw_curves(labels, "Each label against all others", _label_curves(labels, predictions))
    _draw_curves(case, "Upper case against lower", _case_curves(predictions))
    return figure


def _label_curves(axes: Axes, predictions: pd.DataFrame) -> dict[str, RocCurve]:
    """Return the curves that are named; each label's own is drawn pale under them."""
    by_label = label_roc(predictions)
    if not by_label:
        return {}
    for curve in by_label.values():
        axes.plot(*_visible(curve), color=style.LINE, linewidth=0.7)
    hardest = sorted(by_label, key=lambda label: by_label[label].area)[:_HARDEST]
    means = {"all pairs (micro)": micro_roc(predictions), "all labels (macro)": macro_roc(by_label)}
    return means | {f"hardest: {label}": by_label[label] for label in hardest}


def _case_curves(predictions: pd.DataFrame) -> dict[str, RocCurve]:
    letters = predictions[has_case(predictions)]
    scopes = {"all": letters} | {
        style.corpus_title(str(corpus)): rows for corpus, rows in letters.groupby("corpus")
    }
    return {
        name: measure_roc(
            rows["is_uppercase"].to_numpy(dtype=bool),
            rows["uppercase_probability"].to_numpy(dtype=float),
        )
        for name, rows in scopes.items()
        if rows["is_uppercase"].nunique() == 2
    }


def _draw_curves(axes: Axes, title: str, curves: Mapping[str, RocCurve]) -> None:
    if not curves:
        style.write_empty(axes, f"{title}: no samples of both")
        return
    for place, (name, curve) in enumerate(curves.items()):
        colour = style.PALETTE[place % len(style.PALETTE)]
        text = f"{name}, area {curve.area:.4f}"
        axes.plot(*_visible(curve), color=colour, linewidth=1.6, label=text)
    chance = np.logspace(np.log10(_LEAST_RATE), 0, 50)
    axes.plot(chance, chance, color=style.MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
    axes.set(xscale="log", xlim=(_LEAST_RATE, 1), ylim=(0, 1.01))
    axes.set(xlabel="share of the others let in", ylabel="share found")
    style.style_axes(axes, title, grid="both")
    style.percent_axis(axes)
    axes.xaxis.set_major_formatter(lambda share, _: f"{100 * share:g} %")
    axes.legend(frameon=False, fontsize=9, loc="lower right", labelcolor=style.TEXT)


def _visible(curve: RocCurve) -> tuple[np.ndarray, np.ndarray]:
    """Return the curve with its left end where a logarithmic axis begins."""
    return np.maximum(curve.false_positive_P, _LEAST_RATE / 10), curve.true_positive_P


def plot_risk_coverage(predictions: pd.DataFrame) -> Figure:
    """Draw the share misread against the share answered, the surest first, by corpus.

    Raises:
        TableError: If columns are missing.
    """
    require_columns(predictions)
    subtitle = (
        f"{style.describe_corpora(predictions)}. Further left, more of the unsure are withheld."
    )
    figure = style.new_figure(10, 5.6, "Risk and coverage: what withholding is worth", subtitle)
    axes = figure.add_subplot()
    if predictions.empty:
        style.write_empty(axes, "nothing was predicted")
        return figure
    for corpus, colour in style.corpus_colours(predictions["corpus"]).items():
        curve = risk_coverage(predictions[predictions["corpus"] == corpus])
        shown = curve[curve["coverage"] >= 0.5]
        at_90 = float(curve.loc[curve["coverage"] >= _COVERAGE, "risk"].iloc[0])
        text = f"{style.corpus_title(corpus)}: {style.percent(at_90, 2)} misread at 90 %"
        axes.plot(shown["coverage"], shown["risk"], color=colour, linewidth=1.6, label=text)
    axes.axvline(_COVERAGE, color=style.MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
    axes.set(xlim=(0.5, 1), ylim=(0, None), xlabel="share answered", ylabel="share misread of it")
    style.style_axes(axes, grid="both")
    style.percent_axis(axes)
    style.percent_axis(axes, which="x")
    axes.legend(frameon=False, fontsize=9, loc="upper left", labelcolor=style.TEXT)
    return figure
