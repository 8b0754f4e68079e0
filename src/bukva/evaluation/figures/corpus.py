"""What the corpora hold: how many of each symbol, how they look, how thick the pens are.

Shapes: N samples, H = W = 28 pixels.
"""

from typing import Final

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bukva.charset import CLASSES, NO_SYMBOL
from bukva.data.counts import count_samples, tabulate
from bukva.data.ink import measure_ink
from bukva.data.samples import UInt8Array
from bukva.evaluation.figures import style
from bukva.evaluation.figures.tiles import (
    SYMBOL_ORDER,
    case_of,
    choose_samples,
    draw_tiles,
    require_images,
    symbols_as_written,
    thin_out,
)
from bukva.evaluation.predictions import require_columns

_CASE_NAMES: Final = {False: "lower case", True: "upper case", None: "case unknown"}
_SPLIT_COLOURS: Final = {
    "train": style.BLUE,
    "valid": style.ORANGE,
    "test": style.GREEN,
    "drop": style.MUTED,
}
_MEASURED_PER_CORPUS: Final = 4000


def plot_class_counts(table: pd.DataFrame) -> Figure:
    """Draw how many samples each label has, by corpus and case, and each corpus's splits.

    Raises:
        TableError: If columns are missing.
    """
    require_columns(table, ("corpus", "label", "is_uppercase", "split"))
    samples = count_samples(table)
    counts = _count_by_row(samples)
    corpora = samples["corpus"].nunique()
    height_in = 3.0 + 0.36 * len(counts) + 0.3 * corpora
    subtitle = f"{style.describe_corpora(table)}. Grey: no sample at all."
    figure = style.new_figure(16, height_in, "How many samples of each symbol", subtitle)
    if table.empty:
        style.write_empty(figure.add_subplot(), "the table is empty")
        return figure
    heat, bars = figure.subplots(2, 1, height_ratios=(len(counts) + 1, corpora + 1))
    _draw_counts(heat, counts)
    _draw_splits(bars, samples)
    return figure


def _count_by_row(samples: pd.DataFrame) -> pd.DataFrame:
    """Return counts with a row for each corpus and case that occurs, a column for each label."""
    row = samples["corpus"].map(style.corpus_title) + _case_suffix(samples)
    return tabulate(samples, row, "label").reindex(columns=list(CLASSES), fill_value=0)


def _case_suffix(samples: pd.DataFrame) -> pd.Series:
    """Return `, lower case` and the like; nothing for what is no symbol."""
    is_digit = samples["label"].str.isdigit()
    case = case_of(samples["is_uppercase"]).map(_CASE_NAMES)
    suffix = (", " + case).where(~is_digit, ", digits")
    return suffix.where(samples["label"].ne(NO_SYMBOL), "")


def _draw_counts(axes: Axes, counts: pd.DataFrame) -> None:
    values = counts.to_numpy()
    colours = mpl.colormaps["Blues"].with_extremes(bad=style.GROUND)
    # The scale ends well above the largest count, so that dark text stays legible on all cells.
    norm = LogNorm(1, 200.0 * max(1.0, float(values.max())))
    axes.imshow(np.ma.masked_equal(values, 0), cmap=colours, norm=norm, aspect="auto")
    for (row, column), count in np.ndenumerate(values):
        if count:
            axes.text(column, row, str(count), ha="center", va="center", size=7, color=style.TEXT)
    axes.set_xticks(range(len(CLASSES)), list(CLASSES), size=12)
    axes.set_yticks(range(len(counts)), counts.index, size=9)
    axes.tick_params(top=True, labeltop=True, bottom=False, labelbottom=False)
    axes.set_xticks(np.arange(1, len(CLASSES)) - 0.5, minor=True)
    axes.set_yticks(np.arange(1, len(counts)) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.2)
    axes.tick_params(which="minor", length=0)
    style.hide_frame(axes)


def _draw_splits(axes: Axes, samples: pd.DataFrame) -> None:
    counts = tabulate(samples, "corpus", "split")
    totals = counts.sum(axis=1)
    splits = counts.div(totals, axis=0).iloc[::-1]
    left_C = np.zeros(len(splits))
    for split, colour in _SPLIT_COLOURS.items():
        if split in splits and splits[split].any():
            axes.barh(
                splits.index, splits[split], left=left_C, color=colour, height=0.62, label=split
            )
            left_C += splits[split].to_numpy()
    axes.set_yticks(
        range(len(splits)),
        [f"{style.corpus_title(name)}, {totals[name]:,}" for name in splits.index],
    )
    axes.set_xlim(0, 1)
    style.style_axes(axes, "Splits")
    style.percent_axis(axes, which="x")
    axes.legend(
        frameon=False, ncols=4, loc="lower right", bbox_to_anchor=(1, 1), labelcolor=style.TEXT
    )


def plot_sample_sheet(images_NHW: UInt8Array, table: pd.DataFrame, seed: int) -> Figure:
    """Draw a few random samples of each symbol from each corpus, in the corpus's colour.

    Args:
        images_NHW: uint8, ink high on zero, row by row those of `table`.
        table: The sample table.
        seed: Of the choice.

    Raises:
        TableError: If columns are missing, or images and rows differ in number.
    """
    require_images(images_NHW, table)
    few = thin_out(table, np.random.default_rng(seed))
    symbol = symbols_as_written(few)
    rows = [symbol_ for symbol_ in SYMBOL_ORDER if (symbol == symbol_).any()]
    subtitle = f"Random choice from {style.describe_corpora(table)}."
    if any(len(name) > 1 for name in rows):
        subtitle += " Two letters in front: case unknown."
    columns = max(1, min(3, -(-len(rows) // 12)))
    rows_per_column = -(-len(rows) // columns)
    height_in = 1.6 + 0.36 * max(rows_per_column, 1)
    figure = style.new_figure(
        max(6.5, 5.2 * columns), height_in, "Samples of each symbol", subtitle
    )
    if not rows:
        style.write_empty(figure.add_subplot(), "the table is empty")
        return figure
    colours = style.corpus_colours(few["corpus"])
    chosen = choose_samples(few["corpus"], symbol, np.random.default_rng(seed))
    for place, axes in enumerate(figure.subplots(1, columns, squeeze=False).flat):
        names = rows[place * rows_per_column : (place + 1) * rows_per_column]
        tiles = [
            [(images_NHW[few.index[i]], colours[few["corpus"].iloc[i]]) for i in chosen[n]]
            for n in names
        ]
        draw_tiles(axes, names, tiles, rows_per_column)
    style.add_corpus_legend(figure, colours)
    return figure


def plot_ink_statistics(images_NHW: UInt8Array, table: pd.DataFrame) -> Figure:
    """Draw by corpus how much ink, how thick the stroke, how wide the symbol, how high on the page.

    A network can learn the pen instead of the letter where these differ between corpora. At most
    4,000 evenly spaced samples a corpus are measured. The stroke's width is twice its area over
    its perimeter.

    Raises:
        TableError: If columns are missing, or images and rows differ in number.
    """
    require_images(images_NHW, table)
    require_columns(table, ("rel_height",))
    subtitle = f"{style.describe_corpora(table)}. Black line: the median."
    corpora = sorted(table["corpus"].unique())
    height_in = 2.2 + 0.85 * max(1, len(corpora))
    figure = style.new_figure(14, height_in, "Ink: what the pens leave behind", subtitle, gap=0.06)
    if not corpora:
        style.write_empty(figure.add_subplot(), "the table is empty")
        return figure
    colours = style.corpus_colours(corpora)
    measured = {corpus: _measure(images_NHW, table, corpus) for corpus in corpora}
    grid = figure.subplots(len(corpora), len(_MEASURES), sharex="col", squeeze=False)
    for row, corpus in enumerate(corpora):
        for column, (name, limit) in enumerate(_MEASURES.items()):
            axes = grid[row, column]
            _draw_distribution(axes, measured[corpus][name], colours[corpus], limit)
            if row == 0:
                axes.set_title(name, size=10, weight="bold", color=style.TEXT, loc="left", pad=10)
        grid[row, 0].set_ylabel(
            style.corpus_title(corpus), rotation=0, ha="right", va="center", size=10,
            color=style.TEXT,
        )  # fmt: skip
    return figure


_MEASURES: Final = {
    "ink, share of the frame": 0.4,
    "stroke width, px of 28": 6.0,
    "width over height": 2.2,
    "height on the page, share": 1.0,
}


def _measure(
    images_NHW: UInt8Array, table: pd.DataFrame, corpus: str
) -> dict[str, NDArray[np.float64]]:
    """Return the values of `_MEASURES`, in its order, for evenly spaced samples of a corpus."""
    chosen = np.flatnonzero(table["corpus"] == corpus)
    chosen = chosen[:: -(-len(chosen) // _MEASURED_PER_CORPUS)]
    page_height_N = table["rel_height"].to_numpy(dtype=float)[chosen]
    values = (*measure_ink(images_NHW[chosen]), page_height_N)
    return dict(zip(_MEASURES, values, strict=True))


def _draw_distribution(
    axes: Axes, values_N: NDArray[np.float64], colour: str, limit: float
) -> None:
    axes.set_xlim(0, limit)
    axes.set_yticks([])
    style.style_axes(axes, grid="x")
    axes.spines["left"].set_visible(False)
    known_N = values_N[np.isfinite(values_N)]
    if not len(known_N):
        axes.text(
            0.5, 0.4, "not known", transform=axes.transAxes, ha="center", size=9, color=style.MUTED
        )
        return
    axes.hist(np.minimum(known_N, limit), bins=36, range=(0, limit), color=colour, alpha=0.8)
    axes.set_ylim(top=1.3 * axes.get_ylim()[1])
    median = float(np.median(known_N))
    axes.axvline(median, ymax=1 / 1.3, color=style.TEXT, linewidth=1.2)
    axes.text(
        1, 0.97, f"median {median:.2f}", transform=axes.transAxes, ha="right", va="top", size=9,
        color=style.MUTED,
    )  # fmt: skip
