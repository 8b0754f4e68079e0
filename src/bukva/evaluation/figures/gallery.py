"""Drawings beside each other, each with its words, or in rows that belong together.

Shapes: N samples, H = W = 28 pixels.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bukva.data.samples import UInt8Array
from bukva.evaluation.figures import style
from bukva.evaluation.figures.tiles import choose_samples, draw_tiles, require_images

_COLUMNS: Final = 8


def plot_gallery(
    images_NHW: UInt8Array,
    captions: Iterable[str],
    notes: Iterable[str],
    title: str,
    subtitle: str = "",
) -> Figure:
    """Draw images in rows of eight, each with its caption above and a note below.

    Args:
        images_NHW: uint8, ink high on zero.
        captions: One an image.
        notes: One an image.
        title: What they have in common.
        subtitle: Of which samples, and how to read it.
    """
    rows = max(1, -(-len(images_NHW) // _COLUMNS))
    figure = style.new_figure(12, 1.2 + 1.95 * rows, title, subtitle, gap=0.1)
    if not len(images_NHW):
        style.write_empty(figure.add_subplot(), "there are none")
        return figure
    grid = figure.subplots(rows, _COLUMNS, squeeze=False)
    for axes in grid.flat[len(images_NHW) :]:
        axes.set_axis_off()
    for axes, image_HW, caption, note in zip(grid.flat, images_NHW, captions, notes, strict=False):
        _draw_one(axes, image_HW, caption, note)
    return figure


def _draw_one(axes: Axes, image_HW: UInt8Array, caption: str, note: str) -> None:
    axes.imshow(image_HW, cmap="gray_r", vmin=0, vmax=255)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_color(style.LINE)
    axes.set_title(caption, size=12, color=style.TEXT)
    axes.text(0.5, -0.03, note, ha="center", va="top", size=8, color=style.MUTED,
              transform=axes.transAxes)  # fmt: skip


def plot_rows(
    images_NHW: UInt8Array,
    table: pd.DataFrame,
    row_of: pd.Series,
    names: Sequence[str],
    title: str,
    seed: int = 0,
) -> Figure:
    """Draw a row of random samples for each name, in the colour of their corpus.

    Args:
        images_NHW: uint8, ink high on zero, row by row those of `table`.
        table: The sample table, or a prediction table.
        row_of: The name of each sample's row.
        names: The rows to draw, from the top; one without samples stays empty.
        title: What is shown.
        seed: Of the choice.

    Raises:
        TableError: If columns are missing, or images and rows differ in number.
    """
    require_images(images_NHW, table)
    is_shown_N = row_of.isin(list(names)).to_numpy()
    shown, images_NHW = table[is_shown_N], images_NHW[is_shown_N]
    subtitle = f"Random choice from {style.describe_corpora(shown)}."
    figure = style.new_figure(7.5, 1.6 + 0.42 * max(1, len(names)), title, subtitle)
    axes = figure.add_subplot()
    if shown.empty:
        style.write_empty(axes, "there are none")
        return figure
    # A corpus has its colour of the other figures, whether or not all corpora are shown.
    colours = style.corpus_colours(table["corpus"])
    row_of_N = row_of[is_shown_N].to_numpy(dtype=np.str_)
    chosen = choose_samples(shown["corpus"], row_of_N, np.random.default_rng(seed))
    tiles = [
        [(images_NHW[i], colours[shown["corpus"].iloc[i]]) for i in chosen.get(name, [])]
        for name in names
    ]
    draw_tiles(axes, list(names), tiles, len(names))
    style.add_corpus_legend(figure, {name: colours[name] for name in shown["corpus"].unique()})
    return figure
