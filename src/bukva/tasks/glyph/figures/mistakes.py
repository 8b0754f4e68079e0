"""The drawings that a recogniser misreads while it is sure, and what its answers rest on.

Shapes: N samples, H = W = 28 pixels, h x w cells of a map.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from bukva.core.arrays import Float32Array, UInt8Array
from bukva.core.evaluation.figures import style
from bukva.tasks.glyph.evaluation.predictions import is_label_right, require_predictions
from bukva.tasks.glyph.figures.samples import choose_samples, draw_tiles, require_images

_COLUMNS: Final = 8
_EXPLAINED_COLUMNS: Final = 3


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
    require_predictions(predictions)
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


_TILE_PX: Final = 112
_GAP_PX: Final = 8
_INK: Final = np.array(to_rgb(style.BLACK))
_HEAT: Final = np.array(to_rgb(style.VERMILLION))


def plot_explained_mistakes(
    images_NHW: UInt8Array, mistakes: pd.DataFrame, maps: Mapping[str, Float32Array]
) -> Figure:
    """Draw misread samples, each beside maps of what its answer rests on.

    A map is coloured up to its own largest value: colours say where, not how much.

    Args:
        images_NHW: uint8, ink high on zero, row by row those of `mistakes`.
        mistakes: Rows of the prediction table.
        maps: By what it is called, one map an image, of any size; below 0 nothing is coloured.

    Raises:
        TableError: If columns are missing, or images and rows differ in number.
    """
    require_images(images_NHW, mistakes)
    rows = max(1, -(-len(mistakes) // _EXPLAINED_COLUMNS))
    subtitle = f"Written → read, probability. Beside each drawing: {', '.join(maps)}."
    figure = style.new_figure(
        1.3 * _EXPLAINED_COLUMNS * (1 + len(maps)),
        1.2 + 1.9 * rows,
        "What mistakes rest on",
        subtitle,
        gap=0.08,
    )
    if mistakes.empty:
        style.write_empty(figure.add_subplot(), "nothing is misread")
        return figure
    grid = figure.subplots(rows, _EXPLAINED_COLUMNS, squeeze=False)
    for axes in grid.flat[len(mistakes) :]:
        axes.set_axis_off()
    for row, (axes, caption) in enumerate(
        zip(grid.flat, describe_mistakes(mistakes), strict=False)
    ):
        corpus = style.corpus_title(str(mistakes["corpus"].iloc[row]))
        _draw_explained(axes, images_NHW[row], [values_NHW[row] for values_NHW in maps.values()])
        axes.set_title(caption, size=12, color=style.TEXT)
        axes.set_xlabel(corpus, size=8, color=style.MUTED)
    return figure


def _draw_explained(axes: Axes, image_HW: UInt8Array, maps: list[Float32Array]) -> None:
    tiles = [_paint(image_HW, np.zeros((1, 1), np.float32))] + [_paint(image_HW, m) for m in maps]
    gap = np.ones((_TILE_PX, _GAP_PX, 3))
    parts = [part for tile in tiles for part in (tile, gap)][:-1]
    axes.imshow(np.concatenate(parts, axis=1))
    axes.set(xticks=[], yticks=[])
    style.hide_frame(axes)


def _paint(image_HW: UInt8Array, map_hw: Float32Array) -> Float32Array:
    """Return a tile `(_TILE_PX, _TILE_PX, 3)`: heat on paper, ink over it."""
    heat_HW1 = _enlarge(np.clip(map_hw / max(float(map_hw.max()), 1e-12), 0, None))
    ink_HW1 = _enlarge(image_HW.astype(np.float32) / 255)
    paper = 1 - 0.85 * heat_HW1 * (1 - _HEAT)
    tile: Float32Array = paper * (1 - 0.8 * ink_HW1) + 0.8 * ink_HW1 * _INK
    return tile


def _enlarge(values_hw: NDArray[np.floating]) -> Float32Array:
    """Return values of a tile's size, smoothly between those that are known: `(H, W, 1)`."""
    picture = Image.fromarray(values_hw.astype(np.float32))
    large = picture.resize((_TILE_PX, _TILE_PX), Image.Resampling.BILINEAR)
    return np.asarray(large)[..., None]
