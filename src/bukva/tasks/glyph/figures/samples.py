"""Figures of samples: how many there are, what they look like, and what became of corrections.

Shapes: N samples, H x W pixels.
"""

import io
from collections.abc import Mapping
from typing import Final

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray
from PIL import Image

from bukva.core.alphabets import DIGITS
from bukva.core.arrays import UInt8Array
from bukva.core.evaluation.figures import style
from bukva.core.imaging.ink import measure_ink
from bukva.core.scratch_table import iterate_blocks
from bukva.core.tables import require_columns
from bukva.errors import TableError
from bukva.tasks.glyph.charset import CLASSES, LETTERS, NO_SYMBOL, to_symbol
from bukva.tasks.glyph.feedback.selection import LEARNT, OUTCOMES, SET_ASIDE
from bukva.tasks.glyph.table import count_samples, tabulate

SYMBOL_ORDER: Final = (
    *DIGITS,
    *(form for low in LETTERS for form in (low, low.upper(), low.upper() + low)),
    NO_SYMBOL,
)
"""Digits, each letter in lower case, upper case, and both for a case that is unknown, then ∅."""

_TILES_PER_ROW: Final = 12


def require_images(images_NHW: UInt8Array, table: pd.DataFrame) -> None:
    """Refuse images that are not, row by row, those of a table of samples.

    Raises:
        TableError: If columns are missing, or images and rows differ in number.
    """
    require_columns(table, ("corpus", "label", "is_uppercase"))
    if len(images_NHW) != len(table):
        message = f"Expected an image for each of {len(table)} rows, got {len(images_NHW)}."
        raise TableError(message)


def case_of(is_uppercase: pd.Series) -> pd.Series:
    """Return True, False, or None as objects, whatever the dtype of the column."""
    cases = is_uppercase.astype("boolean").astype(object)
    return cases.where(cases.notna(), None)


def symbols_as_written(table: pd.DataFrame) -> NDArray[np.str_]:
    """Return symbols as written; a letter of unknown case in both: `Аа`."""
    case = case_of(table["is_uppercase"])
    pairs = zip(table["label"], case, strict=True)
    return np.array([_as_written(label, is_upper) for label, is_upper in pairs], dtype=np.str_)


def _as_written(label: str, is_upper: bool | None) -> str:
    if is_upper is None and label.isalpha():
        return label.upper() + label
    return label if label == NO_SYMBOL else to_symbol(label, is_upper)


def thin_out(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return what `choose_samples` may choose: a few random samples of each symbol and corpus.

    Returns:
        `corpus`, `label` and `is_uppercase`, and as index the number of the row.
    """
    symbols = table[["corpus", "label", "is_uppercase"]].reset_index(drop=True)
    return pd.concat([_draw_some(block, rng) for block in iterate_blocks(symbols)])


def _draw_some(symbols: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    shuffled = symbols.iloc[rng.permutation(len(symbols))]
    return shuffled.groupby(list(symbols), dropna=False).head(_TILES_PER_ROW)


def choose_samples(
    corpus: pd.Series, symbol: NDArray[np.str_], rng: np.random.Generator
) -> dict[str, list[int]]:
    """Return row numbers for each symbol, evenly from its corpora, corpus by corpus."""
    order = rng.permutation(len(corpus))
    shuffled = pd.DataFrame(
        {"row": order, "symbol": symbol[order], "corpus": corpus.to_numpy()[order]}
    )
    chosen = {}
    for name, samples in shuffled.groupby("symbol"):
        by_corpus = samples.groupby("corpus")["row"]
        chosen[str(name)] = [
            int(row) for _, rows in by_corpus for row in rows[: _TILES_PER_ROW // by_corpus.ngroups]
        ]
    return chosen


def draw_tiles(
    axes: Axes, names: list[str], tiles: list[list[tuple[UInt8Array, str]]], rows: int
) -> None:
    """Paint all tiles on one canvas: thousands of axes would take minutes."""
    side = 28
    canvas = np.ones((rows * side, _TILES_PER_ROW * side, 3))
    for row, samples in enumerate(tiles):
        for column, (image_HW, colour) in enumerate(samples):
            ink_HW1 = image_HW[..., None] / 255
            tile = 1 - ink_HW1 * (1 - np.array(to_rgb(colour)))
            canvas[row * side : (row + 1) * side, column * side : (column + 1) * side] = tile
    axes.imshow(canvas, interpolation="lanczos")
    axes.set_yticks(side * (np.arange(len(names)) + 0.5), names, size=12)
    axes.set_xticks([])
    for row in range(1, len(names)):
        axes.axhline(row * side, color=style.GROUND, linewidth=0.8)
    style.hide_frame(axes)


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


_TILES: Final = 14
_TILE_PX: Final = 96
_GAP_PX: Final = 6
_GROUND: Final = 232  # a white page has to show its edges


def plot_raw_samples(raw: pd.DataFrame, table: pd.DataFrame, images_NHW: UInt8Array) -> Figure:
    """Draw, for each corpus, some samples as they were found and the same ones preprocessed.

    Args:
        raw: `sample_id` and `image`, the bytes of a PNG file.
        table: The sample table; holds all of those.
        images_NHW: uint8, ink high on zero, row by row those of `table`.
    """
    rows = pd.Index(table["sample_id"]).get_indexer(raw["sample_id"])
    found = table.iloc[rows].assign(image=raw["image"].to_numpy(), row=rows)
    corpora = sorted(found["corpus"].unique())
    subtitle = "Above: as the corpus holds it. Below: cut out, centred and scaled to 28 x 28 px."
    height_in = 1.2 + 2.2 * max(1, len(corpora))
    figure = style.new_figure(14, height_in, "From a raw image to a sample", subtitle, gap=0.06)
    if not corpora:
        style.write_empty(figure.add_subplot(), "no samples")
        return figure
    for axes, corpus in zip(
        figure.subplots(len(corpora), 1, squeeze=False).flat, corpora, strict=True
    ):
        _draw_corpus(axes, str(corpus), found[found["corpus"].eq(corpus)], images_NHW)
    return figure


def _draw_corpus(axes: Axes, corpus: str, samples: pd.DataFrame, images_NHW: UInt8Array) -> None:
    places = np.unique(np.linspace(0, len(samples) - 1, _TILES).astype(int))
    chosen = samples.iloc[places]
    step = _TILE_PX + _GAP_PX
    canvas = np.full((2 * step - _GAP_PX, _TILES * step - _GAP_PX), _GROUND, dtype=np.uint8)
    for column, (image, row) in enumerate(zip(chosen["image"], chosen["row"], strict=True)):
        frame = Image.fromarray(255 - images_NHW[row])
        for line, picture in enumerate((Image.open(io.BytesIO(image)), frame)):
            _paste(canvas[line * step :, column * step :], picture)
    axes.imshow(canvas, cmap="gray", vmin=0, vmax=255)
    middles = step * np.arange(len(chosen)) + _TILE_PX / 2
    axes.set_xticks(middles, symbols_as_written(chosen), size=11)
    axes.set_yticks([])
    axes.set_title(style.corpus_title(corpus), size=11, weight="bold", color=style.TEXT, loc="left")
    style.hide_frame(axes)


def _paste(canvas: UInt8Array, picture: Image.Image) -> None:
    """Put a picture into the upper left of a canvas: as large as a tile lets it, in the middle."""
    scale = _TILE_PX / max(picture.size)
    width, height = (max(1, round(side * scale)) for side in picture.size)
    tile = np.asarray(picture.convert("L").resize((width, height), Image.Resampling.BOX))
    top, left = (_TILE_PX - height) // 2, (_TILE_PX - width) // 2
    canvas[top : top + height, left : left + width] = tile


_COLOURS = {LEARNT: style.GREEN, SET_ASIDE: style.ORANGE}


def plot_feedback(outcomes: pd.DataFrame, counts: Mapping[str, int]) -> Figure:
    """Draw how many corrections met each fate, and of which symbols those are that are of use.

    Args:
        outcomes: One row a drawing, with `label`, `is_uppercase` and `outcome`.
        counts: By outcome, all of `OUTCOMES`.

    Raises:
        TableError: If columns are missing.
    """
    require_columns(outcomes, ("label", "is_uppercase", "outcome"))
    subtitle = f"{sum(counts.values()):,} corrections, {counts[LEARNT]:,} of them learnt from."
    figure = style.new_figure(13, 7, "What became of the corrections", subtitle, gap=0.08)
    above, below = figure.subplots(2, 1, height_ratios=(3, 2))
    _draw_outcomes(above, counts)
    _draw_symbols(below, outcomes)
    return figure


def _draw_outcomes(axes: Axes, counts: Mapping[str, int]) -> None:
    names = list(OUTCOMES)[::-1]
    colours = [_COLOURS.get(name, style.MUTED) for name in names]
    bars = axes.barh([OUTCOMES[name] for name in names], [counts[name] for name in names],
                     color=colours, height=0.62)  # fmt: skip
    axes.bar_label(bars, padding=4, color=style.TEXT, size=9)
    axes.set_xlim(left=0, right=1.1 * max(1, *counts.values()))
    style.style_axes(axes, "By outcome", grid="x")


def _draw_symbols(axes: Axes, outcomes: pd.DataFrame) -> None:
    useful = outcomes[outcomes["outcome"].isin(list(_COLOURS))]
    if useful.empty:
        style.write_empty(axes, "nothing is learnt from, and nothing was set aside")
        return
    by_symbol = pd.crosstab(symbols_as_written(useful), useful["outcome"].to_numpy())
    by_symbol = by_symbol.reindex([name for name in SYMBOL_ORDER if name in by_symbol.index])
    bottom = pd.Series(0, index=by_symbol.index)
    for outcome, colour in _COLOURS.items():
        if outcome in by_symbol:
            axes.bar(by_symbol.index, by_symbol[outcome], bottom=bottom, color=colour,
                     width=0.7, label=OUTCOMES[outcome])  # fmt: skip
            bottom += by_symbol[outcome]
    style.style_axes(axes, "By symbol", grid="y")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(
        frameon=False, ncols=2, loc="lower right", bbox_to_anchor=(1, 1), labelcolor=style.TEXT
    )
