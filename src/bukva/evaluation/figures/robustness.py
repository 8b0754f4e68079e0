"""How accuracy falls as the drawings are disturbed."""

from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bukva.evaluation.figures import style
from bukva.evaluation.predictions import require_columns
from bukva.evaluation.robustness import RENDERED, STORED

TITLES: Final = {
    "rotation_deg": "Turned either way, degrees",
    "thinner_pen_px": "Thinner pen, px off either side",
    "thicker_pen_px": "Thicker pen, px on either side",
    "noise": "Noise, deviation in grey levels",
    "jpeg_quality": "JPEG file, quality",
    "inverted_contrast": "Light on black, tone of the ink",
}
_COLUMNS: Final = ("shift", "strength", "corpus", "n", "accuracy", "low", "high")
_PANELS_PER_ROW: Final = 3


def plot_robustness(robustness: pd.DataFrame) -> Figure:
    """Draw label accuracy against the strength of each disturbance, a line for each corpus.

    Args:
        robustness: As `measure_robustness` returns it.

    Raises:
        TableError: If columns are missing.
    """
    require_columns(robustness, _COLUMNS)
    stored = robustness[robustness["shift"] == STORED]
    names = [name for name in TITLES if name in set(robustness["shift"])]
    corpora = ", ".join(style.corpus_title(name) for name in stored["corpus"])
    subtitle = (
        f"Label accuracy on {stored['n'].sum():,} samples of {corpora}, enlarged to 80 px and "
        "framed again; dotted: as they are"
    )
    rows = max(1, -(-len(names) // _PANELS_PER_ROW))
    figure = style.new_figure(13, 1.5 + 3.1 * rows, "Robustness under shift", subtitle, gap=0.06)
    if not names:
        style.write_empty(figure.add_subplot(), "nothing was disturbed")
        return figure
    colours = style.corpus_colours(stored["corpus"])
    grid = figure.subplots(rows, _PANELS_PER_ROW, sharey=True, squeeze=False)
    for axes, name in zip(grid.flat, names, strict=False):
        _draw_panel(axes, robustness, name, colours)
    for axes in grid.flat[len(names) :]:
        axes.set_axis_off()
    handles = [
        Line2D([], [], color=colour, marker="o", markersize=4, label=style.corpus_title(corpus))
        for corpus, colour in colours.items()
    ]
    figure.legend(
        handles=handles, loc="outside lower left", ncols=6, frameon=False, labelcolor=style.TEXT
    )
    return figure


def _draw_panel(axes: Axes, robustness: pd.DataFrame, name: str, colours: dict[str, str]) -> None:
    for corpus, colour in colours.items():
        of_corpus = robustness[robustness["corpus"] == corpus]
        line = of_corpus[of_corpus["shift"].isin([RENDERED, name])]
        places = range(len(line))
        axes.fill_between(places, line["low"], line["high"], color=colour, alpha=0.1, linewidth=0)
        axes.plot(places, line["accuracy"], color=colour, marker="o", markersize=4, linewidth=1.6)
        stored = float(of_corpus.loc[of_corpus["shift"] == STORED, "accuracy"].iloc[0])
        axes.axhline(stored, color=colour, linewidth=0.9, linestyle=(0, (1, 2)))
    strengths = robustness.loc[robustness["shift"] == name, "strength"].unique()
    axes.set_xticks(range(len(strengths) + 1), ["none", *(f"{value:g}" for value in strengths)])
    axes.set_ylim(top=1)
    style.style_axes(axes, TITLES[name], grid="y")
    style.percent_axis(axes)
