"""One look for all figures: colours that the colour-blind tell apart, a heading, quiet axes."""

from collections.abc import Iterable
from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

# Okabe and Ito (2008), without its yellow, which is too faint for lines and ink.
BLUE: Final = "#0072B2"
VERMILLION: Final = "#D55E00"
GREEN: Final = "#009E73"
PURPLE: Final = "#CC79A7"
ORANGE: Final = "#E69F00"
SKY: Final = "#56B4E9"
BLACK: Final = "#000000"
PALETTE: Final = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK)

TEXT: Final = "#1F2328"
MUTED: Final = "#656D76"
LINE: Final = "#D0D7DE"
GROUND: Final = "#F3F4F6"

SYNTHETIC_CORPORA: Final = frozenset({"fonts", "strokes"})

_HEADING_IN: Final = 0.85
_MARGIN_IN: Final = 0.12


def new_figure(
    width_in: float, height_in: float, title: str, subtitle: str = "", *, gap: float = 0.02
) -> Figure:
    """Return an empty figure with a heading, laid out so that nothing overlaps.

    Args:
        width_in: Inches.
        height_in: Inches.
        title: What it shows.
        subtitle: Of which samples, and how to read it.
        gap: Between axes, as a share of their size.
    """
    margin_x, margin_y = _MARGIN_IN / width_in, _MARGIN_IN / height_in
    height = 1 - margin_y - _HEADING_IN / height_in
    rect = (margin_x, margin_y, 1 - 2 * margin_x, height)
    layout = ConstrainedLayoutEngine(rect=rect, hspace=gap, wspace=gap)
    figure = Figure(figsize=(width_in, height_in), layout=layout, facecolor="white")
    left = 0.25 / width_in
    figure.text(left, 1 - 0.32 / height_in, title, size=15, weight="bold", color=TEXT, va="center")
    figure.text(left, 1 - 0.62 / height_in, subtitle, size=10, color=MUTED, va="center")
    return figure


def style_axes(axes: Axes, title: str = "", *, grid: str = "") -> None:
    """Give axes the common look; `grid` is `x`, `y`, `both`, or empty for none."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(LINE)
    axes.tick_params(colors=MUTED, labelcolor=TEXT, labelsize=9, length=3)
    axes.xaxis.label.set(color=MUTED, size=9)
    axes.yaxis.label.set(color=MUTED, size=9)
    axes.set_axisbelow(True)
    if grid in ("x", "y", "both"):
        axes.grid(axis=grid, color=LINE, alpha=0.5, linewidth=0.8)  # type: ignore[arg-type]
    if title:
        axes.set_title(title, size=11, weight="bold", color=TEXT, loc="left", pad=8)


def hide_frame(axes: Axes) -> None:
    """Leave only what is drawn: no spines, no tick marks."""
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, labelcolor=TEXT)


def percent_axis(axes: Axes, *, which: str = "y") -> None:
    """Show shares 0..1 as percent."""
    axis = axes.yaxis if which == "y" else axes.xaxis
    axis.set_major_formatter(PercentFormatter(xmax=1, decimals=None, symbol=" %"))


def percent(share: float, decimals: int = 1) -> str:
    """Return a share 0..1 as text, written as on the axes: `0.9405` gives `94.0 %`."""
    return f"{100 * share:.{decimals}f} %"


def write_empty(axes: Axes, message: str) -> None:
    """Say in place of a drawing why there is none."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, message, ha="center", va="center", color=MUTED, transform=axes.transAxes)


def corpus_title(corpus: str) -> str:
    """Return how a corpus is called in figures: what was not written by people says so."""
    return f"{corpus} (synthetic)" if corpus in SYNTHETIC_CORPORA else corpus


def describe_corpora(table: pd.DataFrame) -> str:
    """Return the number of samples and their corpora, for a subtitle."""
    corpora = ", ".join(corpus_title(corpus) for corpus in sorted(table["corpus"].unique()))
    return f"{len(table):,} samples of {corpora}" if len(table) else "no samples"


def corpus_colours(corpora: Iterable[str]) -> dict[str, str]:
    """Return a colour for each corpus, by the order of their names."""
    names = sorted(set(corpora))
    return {name: PALETTE[place % len(PALETTE)] for place, name in enumerate(names)}


def add_corpus_legend(figure: Figure, colours: dict[str, str]) -> None:
    """Say below the axes which colour is which corpus."""
    handles = [Patch(color=colour, label=corpus_title(name)) for name, colour in colours.items()]
    figure.legend(
        handles=handles, loc="outside lower left", ncols=len(handles), frameon=False, fontsize=10
    )
