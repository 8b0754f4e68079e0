"""How high symbols stand on their pages, and what that does to the answers."""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bukva.core.evaluation.figures import style
from bukva.core.evaluation.intervals import wilson_interval
from bukva.core.tables import require_columns
from bukva.tasks.glyph.charset import LETTERS
from bukva.tasks.glyph.evaluation.predictions import (
    COLUMNS,
    has_case,
    is_case_right,
    is_label_right,
)

SIZE_COLUMNS: Final = ("corpus", "measure", "low", "high", "n", "accuracy", "ci_low", "ci_high")


def accuracy_by_size(predictions: pd.DataFrame, bins: int = 10) -> pd.DataFrame:
    """Return accuracies by corpus and by how high the symbol stands on its page.

    Args:
        predictions: The prediction table with `rel_height`, 0..1, of the sample table; samples
            whose page is not known are left out.
        bins: How many, of equal width.

    Returns:
        One row for each corpus, measure (`label`; `case`, of letters whose case is known) and bin
        that has samples: columns `SIZE_COLUMNS`, with Wilson's 95 % interval.

    Raises:
        TableError: If columns are missing.
    """
    require_columns(predictions, (*COLUMNS, "rel_height"))
    known = predictions[predictions["rel_height"].notna()]
    cased = known[has_case(known)]
    answers = pd.concat(
        [
            _right_by_bin(known, "label", is_label_right(known), bins),
            _right_by_bin(cased, "case", is_case_right(cased), bins),
        ]
    )
    counts = answers.groupby(["corpus", "measure", "bin"])["is_right"].agg(["sum", "size"])
    rows = [
        (
            *group,
            place / bins,
            (place + 1) / bins,
            size,
            right / size,
            *wilson_interval(right, size),
        )
        for (*group, place), right, size in zip(counts.index, *counts.T.to_numpy(), strict=True)
    ]
    return pd.DataFrame(rows, columns=list(SIZE_COLUMNS))


def _right_by_bin(
    rows: pd.DataFrame, measure: str, is_right_N: np.ndarray, bins: int
) -> pd.DataFrame:
    """Return whether each row is right, beside its corpus and its bin."""
    bin_N = np.minimum((rows["rel_height"].to_numpy(dtype=float) * bins).astype(int), bins - 1)
    return pd.DataFrame(
        {"corpus": rows["corpus"], "measure": measure, "bin": bin_N, "is_right": is_right_N}
    )


_CASES: Final = {False: ("lower case", style.BLUE), True: ("upper case", style.VERMILLION)}
_MEASURES: Final = {"label": "Label", "case": "Case of letters"}
_FEWEST: Final = 5


def plot_page_sizes(table: pd.DataFrame) -> Figure:
    """Draw how high each letter stands on its page, by case and corpus: median and quartiles.

    Where the two cases of a letter overlap, its size says nothing about its case.

    Args:
        table: The sample table; letters without a case or a page are left out.

    Raises:
        TableError: If columns are missing.
    """
    require_columns(table, ("corpus", "label", "is_uppercase", "rel_height"))
    letters = table[has_case(table) & table["rel_height"].notna()]
    corpora = sorted(letters["corpus"].unique())
    subtitle = f"{style.describe_corpora(letters)}. Dot: the median; line: the middle half."
    height_in = 1.4 + 2.3 * max(1, len(corpora))
    figure = style.new_figure(14, height_in, "Height on the page, by case", subtitle, gap=0.06)
    if not corpora:
        style.write_empty(figure.add_subplot(), "no letter whose case and page are known")
        return figure
    panels = figure.subplots(len(corpora), 1, sharex=True, squeeze=False)[:, 0]
    for axes, corpus in zip(panels, corpora, strict=True):
        _draw_sizes(axes, letters[letters["corpus"] == corpus])
        style.style_axes(axes, style.corpus_title(corpus), grid="y")
        style.percent_axis(axes)
    panels[-1].set_xticks(range(len(LETTERS)), list(LETTERS), size=12)
    panels[0].legend(
        frameon=False, ncols=2, loc="lower right", bbox_to_anchor=(1, 1), labelcolor=style.TEXT
    )
    return figure


def _draw_sizes(axes: Axes, letters: pd.DataFrame) -> None:
    for is_upper, (name, colour) in _CASES.items():
        rows = letters[letters["is_uppercase"].eq(is_upper)]
        quartiles = (
            rows.groupby("label")["rel_height"].quantile(np.array([0.25, 0.5, 0.75])).unstack()
        )
        quartiles = quartiles.reindex(list(LETTERS))
        places = np.arange(len(LETTERS)) + (0.14 if is_upper else -0.14)
        axes.vlines(places, quartiles[0.25], quartiles[0.75], color=colour, linewidth=2.2)
        axes.scatter(places, quartiles[0.5], color=colour, s=22, label=name, zorder=3)
    axes.set(xlim=(-0.7, len(LETTERS) - 0.3), ylim=(0, None), ylabel="height, share of the page")


def plot_accuracy_by_size(accuracies: pd.DataFrame) -> Figure:
    """Draw accuracy against the height on the page, a line for each corpus.

    Bins of fewer than 5 samples are not drawn: they say nothing.

    Args:
        accuracies: As `accuracy_by_size` returns it.

    Raises:
        TableError: If columns are missing.
    """
    require_columns(accuracies, SIZE_COLUMNS)
    shown = accuracies[accuracies["n"] >= _FEWEST]
    subtitle = "Samples whose page is known; lines: the 95 % interval of each tenth of the page."
    figure = style.new_figure(12, 5.2, "Accuracy by height on the page", subtitle, gap=0.06)
    colours = style.corpus_colours(shown["corpus"])
    panels = figure.subplots(1, len(_MEASURES), sharey=True)
    for axes, (measure, title) in zip(panels, _MEASURES.items(), strict=True):
        rows = shown[shown["measure"] == measure]
        if rows.empty:
            style.write_empty(axes, f"{title}: no samples whose page is known")
            continue
        _draw_accuracies(axes, rows, colours)
        style.style_axes(axes, title, grid="y")
        style.percent_axis(axes)
        style.percent_axis(axes, which="x")
    style.add_corpus_legend(figure, colours)
    return figure


def _draw_accuracies(axes: Axes, rows: pd.DataFrame, colours: dict[str, str]) -> None:
    for place, (corpus, bins) in enumerate(rows.groupby("corpus")):
        # A little apart, so that the intervals of corpora do not hide each other.
        middle = (bins["low"] + bins["high"]) / 2 + 0.012 * place
        colour = colours[str(corpus)]
        axes.vlines(middle, bins["ci_low"], bins["ci_high"], color=colour, linewidth=1.4)
        axes.plot(middle, bins["accuracy"], color=colour, marker="o", markersize=4)
    axes.set(xlim=(0, 1), ylim=(None, 1.01), xlabel="height, share of the page")
    axes.set_ylabel("share right")
