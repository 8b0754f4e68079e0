"""ROC curves of labels and case, and risk against coverage."""

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bukva.core.evaluation.figures import style
from bukva.errors import TableError
from bukva.tasks.glyph.charset import LABELS
from bukva.tasks.glyph.evaluation.predictions import (
    has_case,
    is_label_right,
    label_indices,
    require_predictions,
)

FloatArray = NDArray[np.float64]

_GRID_P: Final = np.concatenate([[0.0], np.logspace(-6, 0, 400)])


class RocCurve(NamedTuple):
    """Shares `(P,)` of what is not it, and of what is, that a falling threshold lets in."""

    false_positive_P: FloatArray
    true_positive_P: FloatArray

    @property
    def area(self) -> float:
        """Area under the curve, 0..1; 0.5 is chance."""
        from sklearn.metrics import auc

        return float(auc(self.false_positive_P, self.true_positive_P))


def measure_roc(is_it: NDArray[np.bool_], score: FloatArray) -> RocCurve:
    """Return the ROC curve (Fawcett 2006, "An introduction to ROC analysis").

    Args:
        is_it: `(N,)`, True for what is to be found; both must occur.
        score: `(N,)`, higher where it is likelier.
    """
    from sklearn.metrics import roc_curve

    false_positive_P, true_positive_P, _ = roc_curve(is_it, score)
    return RocCurve(false_positive_P, true_positive_P)


def label_roc(predictions: pd.DataFrame) -> dict[str, RocCurve]:
    """Return the ROC curve of each label against all others, by label, where both occur.

    Raises:
        TableError: If the table does not hold the probabilities of all 43 labels.
    """
    label_NK, true_N = _probabilities(predictions), label_indices(predictions["label"])
    occurring = [int(index) for index in np.unique(true_N)]
    if len(occurring) < 2:
        return {}
    return {
        LABELS[index]: measure_roc(true_N == index, label_NK[:, index].astype(float))
        for index in occurring
    }


def micro_roc(predictions: pd.DataFrame) -> RocCurve:
    """Return the ROC curve over all pairs of a sample and a label: is it that label?"""
    label_NK, true_N = _probabilities(predictions), label_indices(predictions["label"])
    is_it_NK = true_N[:, None] == np.arange(len(LABELS))
    return measure_roc(is_it_NK.ravel(), label_NK.ravel().astype(float))


def macro_roc(curves: dict[str, RocCurve]) -> RocCurve:
    """Return the mean of curves: every label counts the same, however rare."""
    heights = [
        np.interp(_GRID_P, curve.false_positive_P, curve.true_positive_P)
        for curve in curves.values()
    ]
    return RocCurve(_GRID_P, np.mean(heights, axis=0))


def risk_coverage(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the share misread among the answers that the recogniser is surest of.

    Geifman and El-Yaniv 2017, "Selective Classification for Deep Neural Networks".

    Returns:
        One row a sample, the surest first: `coverage` (share answered so far), `risk` (share of
        those misread) and `threshold` (the probability that lets them in), all 0..1.
    """
    ranked = predictions.sort_values("label_probability", ascending=False, kind="stable")
    count_N = np.arange(1, len(ranked) + 1)
    return pd.DataFrame(
        {
            "coverage": count_N / max(1, len(ranked)),
            "risk": (~is_label_right(ranked)).cumsum() / count_N,
            "threshold": ranked["label_probability"].to_numpy(dtype=float),
        }
    )


def _probabilities(predictions: pd.DataFrame) -> NDArray[np.float32]:
    rows = list(predictions.get("label_probabilities", []))
    if len(rows) != len(predictions) or any(len(row) != len(LABELS) for row in rows):
        message = (
            f"Expected the probabilities of all {len(LABELS)} labels in the column "
            "'label_probabilities', got fewer: predict with a network of all labels."
        )
        raise TableError(message)
    return np.array(rows, dtype=np.float32).reshape(len(rows), len(LABELS))


_HARDEST: Final = 3
_LEAST_RATE: Final = 1e-4
_COVERAGE: Final = 0.9


def plot_roc(predictions: pd.DataFrame) -> Figure:
    """Draw ROC curves: each label against all others, and upper case against lower by corpus.

    Raises:
        TableError: If columns are missing.
    """
    require_predictions(predictions)
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
    require_predictions(predictions)
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
