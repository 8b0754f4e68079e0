"""The drawings that a recogniser misreads while it is sure.

Shapes: N samples, H = W = 28 pixels.
"""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bukva.data.samples import UInt8Array
from bukva.errors import TableError
from bukva.evaluation.figures import style
from bukva.evaluation.predictions import is_label_right, require_columns

_COLUMNS = 8


def plot_worst_mistakes(
    images_NHW: UInt8Array, predictions: pd.DataFrame, count: int = 48
) -> Figure:
    """Draw the misread samples of highest confidence, each with truth, answer and corpus.

    Args:
        images_NHW: uint8, ink high on zero, row by row those of `predictions`.
        predictions: The prediction table.
        count: How many at most.

    Raises:
        TableError: If columns are missing, or images and rows differ in number.
    """
    require_columns(predictions)
    if len(images_NHW) != len(predictions):
        message = f"Expected an image for each of {len(predictions)} rows, got {len(images_NHW)}."
        raise TableError(message)
    wrong_M = np.flatnonzero(~is_label_right(predictions))
    confidence_M = predictions["label_probability"].to_numpy()[wrong_M]
    shown = wrong_M[np.argsort(-confidence_M, kind="stable")][:count]
    rows = max(1, -(-len(shown) // _COLUMNS))
    subtitle = (
        f"{len(wrong_M):,} of {style.describe_corpora(predictions)} are misread; "
        f"the {len(shown)} surest follow: written → read, probability"
    )
    figure = style.new_figure(12, 1.2 + 1.95 * rows, "Worst mistakes", subtitle, gap=0.1)
    if not len(shown):
        style.write_empty(figure.add_subplot(), "no label was misread")
        return figure
    grid = figure.subplots(rows, _COLUMNS, squeeze=False)
    for axes in grid.flat[len(shown) :]:
        axes.set_axis_off()
    tiles = predictions.iloc[shown].to_dict("records")
    for axes, sample, image_HW in zip(grid.flat, tiles, images_NHW[shown], strict=False):
        axes.imshow(image_HW, cmap="gray_r", vmin=0, vmax=255)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_color(style.LINE)
        title = f"{sample['label']} → {sample['predicted_label']}"
        axes.set_title(f"{title}  {sample['label_probability']:.2f}", size=12, color=style.TEXT)
        corpus = style.corpus_title(str(sample["corpus"]))
        axes.text(0.5, -0.03, corpus, ha="center", va="top", size=8, color=style.MUTED,
                  transform=axes.transAxes)  # fmt: skip
    return figure
