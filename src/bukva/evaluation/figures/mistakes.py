"""The drawings that a recogniser misreads while it is sure.

Shapes: N samples, H = W = 28 pixels.
"""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bukva.data.samples import UInt8Array
from bukva.evaluation.figures import style
from bukva.evaluation.figures.gallery import plot_gallery
from bukva.evaluation.figures.tiles import require_images
from bukva.evaluation.predictions import is_label_right, require_columns


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
    require_images(images_NHW, predictions)
    mistakes = rank_mistakes(predictions)
    shown = mistakes[:count]
    subtitle = (
        f"{len(mistakes):,} of {style.describe_corpora(predictions)} are misread; "
        f"the {len(shown)} surest follow: written → read, probability"
    )
    tiles = predictions.iloc[shown]
    notes = [style.corpus_title(str(corpus)) for corpus in tiles["corpus"]]
    return plot_gallery(
        images_NHW[shown], describe_mistakes(tiles), notes, "Worst mistakes", subtitle
    )


def rank_mistakes(predictions: pd.DataFrame) -> NDArray[np.intp]:
    """Return the row numbers of the misread samples, those of highest confidence first.

    Raises:
        TableError: If columns are missing.
    """
    require_columns(predictions)
    wrong_M = np.flatnonzero(~is_label_right(predictions))
    confidence_M = predictions["label_probability"].to_numpy()[wrong_M]
    return wrong_M[np.argsort(-confidence_M, kind="stable")]


def describe_mistakes(mistakes: pd.DataFrame) -> list[str]:
    """Return for each row what was written, what was read, and how probable that seemed."""
    return [
        f"{label} → {read}  {probability:.2f}"
        for label, read, probability in zip(
            mistakes["label"],
            mistakes["predicted_label"],
            mistakes["label_probability"],
            strict=True,
        )
    ]
