"""What was told rightly and wrongly, how surely, and lines to look at.

Shapes: N samples, H x W pixels.
"""

from typing import Final

import cv2
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bukva.core.arrays import UInt8Array
from bukva.core.evaluation.calibration import calibration_bins
from bukva.core.evaluation.figures import style
from bukva.core.tables import require_columns
from bukva.tasks.document.answer import LABELS
from bukva.tasks.document.recogniser import DocumentRecogniser

_COLUMNS: Final = ("corpus", "label", "predicted", "probability")
_WORST: Final = 12
_USUAL: Final = 2
_HAND: Final = (0.835, 0.369, 0.0)
_PRINT: Final = (0.0, 0.447, 0.698)


def plot_scores(predictions: pd.DataFrame) -> Figure:
    """Draw the ROC curve of each source, the confusion matrix, and whether confidences are true.

    Raises:
        TableError: If columns are missing.
    """
    require_columns(predictions, _COLUMNS)
    subtitle = style.describe_corpora(predictions)
    figure = style.new_figure(14, 5, "Handwritten or printed?", subtitle)
    roc, confusion, reliability = figure.subplots(1, 3)
    _draw_roc(roc, predictions)
    _draw_confusion(confusion, predictions)
    _draw_reliability(reliability, predictions)
    return figure


def _draw_roc(axes: Axes, predictions: pd.DataFrame) -> None:
    from sklearn.metrics import roc_auc_score, roc_curve

    style.style_axes(axes, "ROC, by source", grid="both")
    groups = {"all": predictions, **dict(iter(predictions.groupby("corpus")))}
    for colour, (name, rows) in zip(style.PALETTE * 3, groups.items(), strict=False):
        is_hand = rows["label"].eq(LABELS[0])
        if is_hand.nunique() < 2:
            continue
        false, true, _ = roc_curve(is_hand, rows["probability"])
        area = roc_auc_score(is_hand, rows["probability"])
        axes.plot(false, true, color=colour, label=f"{name!s}: {area:.4f}")
    axes.set(xlim=(-0.005, 0.3), ylim=(0.7, 1.005), xlabel="printed, taken for handwritten",
             ylabel="handwritten, found")  # fmt: skip
    if axes.lines:
        axes.legend(frameon=False, loc="lower right", fontsize=9)


def _draw_confusion(axes: Axes, predictions: pd.DataFrame) -> None:
    counts = pd.crosstab(predictions["label"], predictions["predicted"])
    counts = counts.reindex(index=list(LABELS), columns=list(LABELS), fill_value=0)
    counts_22 = counts.to_numpy()
    shares_22 = counts_22 / np.maximum(counts_22.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares_22, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(2, 2):
        share = float(shares_22[row, column])
        text = f"{int(counts_22[row, column]):,}\n{style.percent(share)}"
        colour = "white" if share > 0.5 else style.TEXT
        axes.text(column, row, text, ha="center", va="center", color=colour)
    axes.set_xticks(range(2), LABELS)
    axes.set_yticks(range(2), LABELS, rotation=90, va="center")
    axes.set(xlabel="said", ylabel="true")
    axes.set_title("Confusion", size=11, weight="bold", color=style.TEXT, loc="left", pad=8)
    style.hide_frame(axes)


def _draw_reliability(axes: Axes, predictions: pd.DataFrame) -> None:
    probability_N = predictions["probability"].to_numpy(dtype=float)
    confidence_N = np.maximum(probability_N, 1 - probability_N)
    bins = calibration_bins(confidence_N, predictions["label"].eq(predictions["predicted"]))
    filled = bins[bins["count"] > 0]
    style.style_axes(axes, "Share right, by confidence", grid="both")
    axes.plot([0.5, 1], [0.5, 1], color=style.TEXT, linewidth=1, linestyle=(0, (4, 3)))
    axes.scatter(filled["confidence"], filled["accuracy"], s=20 + 60 * filled["count"] /
                 filled["count"].max(), color=style.BLUE, zorder=3)  # fmt: skip
    axes.set(xlim=(0.48, 1.01), ylim=(-0.02, 1.02), xlabel="confidence")
    style.percent_axis(axes)
    style.percent_axis(axes, which="x")


def plot_lines(
    recogniser: DocumentRecogniser, predictions: pd.DataFrame, images_NHW: UInt8Array
) -> Figure:
    """Draw the worst mistakes and some lines of each source, coloured by what they speak for.

    Args:
        recogniser: What said it.
        predictions: Of the test split.
        images_NHW: Row-aligned with it.
    """
    rows = predictions.reset_index(drop=True)
    wrong = rows[rows["label"].ne(rows["predicted"])]
    surest = (wrong["probability"] - 0.5).abs().sort_values(ascending=False).index[:_WORST]
    usual = rows.groupby(["corpus", "label"]).head(_USUAL).index
    chosen = [*surest, *usual]
    subtitle = "The surest mistakes first; vermillion speaks for handwriting, blue for print."
    figure = style.new_figure(
        13, 1 + 0.55 * len(chosen), "Lines as the network sees them", subtitle
    )
    if not chosen:
        style.write_empty(figure.add_subplot(), "no line was tested")
        return figure
    _, maps_NKhw = recogniser.logits_and_maps(np.asarray(images_NHW[chosen]))
    for axes, place, maps in zip(
        np.atleast_1d(figure.subplots(len(chosen), 1)), chosen, maps_NKhw, strict=True
    ):
        axes.imshow(_colour(images_NHW[place], maps), interpolation="bilinear")
        row = rows.loc[place]
        axes.set_axis_off()
        axes.text(
            -8, 32, f"{row['corpus']}: {row['label']}\n{row['probability']:.2f} by hand",
            ha="right", va="center", size=8,
            color=style.TEXT if row["label"] == row["predicted"] else style.VERMILLION,
        )  # fmt: skip
    return figure


def _colour(framed_HW: UInt8Array, maps_Khw: np.ndarray) -> np.ndarray:
    evidence_HW = cv2.resize(maps_Khw[0] - maps_Khw[1], framed_HW.shape[::-1])
    strength_HW1 = np.clip(np.abs(evidence_HW) / 4, 0.0, 1.0)[..., None]
    colour_HWC = np.where(evidence_HW[..., None] > 0, np.array(_HAND), np.array(_PRINT))
    ink_HW1 = framed_HW[..., None] / 255
    inked_HWC = strength_HW1 * colour_HWC
    return np.asarray(1 - ink_HW1 * (1 - inked_HWC))
