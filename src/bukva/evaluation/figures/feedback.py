"""What became of the corrections that people gave."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bukva.data.feedback.selection import LEARNT, OUTCOMES, SET_ASIDE
from bukva.evaluation.figures import style
from bukva.evaluation.figures.tiles import SYMBOL_ORDER, symbols_as_written
from bukva.evaluation.predictions import require_columns

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
