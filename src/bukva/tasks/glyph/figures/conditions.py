"""How many letters are read under each condition of paper and camera, as bars."""

from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bukva.core.evaluation.figures import style
from bukva.core.tables import require_columns
from bukva.tasks.glyph.evaluation.conditions import ALL, CLEAN, COLUMNS, overall

TITLES: Final = {
    "clean": "clean",
    "squared_wide": "squared, wide",
    "squared_narrow": "squared, narrow",
    "ruled": "ruled",
    "ruled_turned": "ruled, turned by 3°",
    "soft_shadow_70": "soft shadow, 70 % of the light",
    "soft_shadow_50": "soft shadow, 50 % of the light",
    "hard_shadow_60": "hard shadow, 60 % of the light",
    "desk_around": "desk all around",
    "desk_beside": "desk on one side",
    "glare": "glare",
    "white_pixel": "one white pixel",
    "neighbour": "neighbour at the edge",
    "pencil_on_grey": "pencil on grey",
    "chalk": "chalk on a smeared board",
    "yellow_marker": "yellow marker on white",
    "red_on_green": "red on green",
    "cropped": "cropped to the ink",
    "small_plain": "32 px, plain paper",
    "small_striped": "32 px, striped paper",
    "small_squared": "32 px, squared paper",
    "small_graph": "32 px, graph paper",
    "millimetre": "orange millimetre paper *",
    "crease": "a fold and its shadow *",
    "kraft": "ballpoint on brown paper *",
}
"""What a condition is called; a star marks those of which training simulates nothing."""


def plot_conditions(conditions: pd.DataFrame, before: pd.DataFrame | None = None) -> Figure:
    """Draw the share that is read rightly under each condition, and of clean files as a line.

    Args:
        conditions: As `measure_conditions` returns it.
        before: The same of another model, for bars below those.

    Raises:
        TableError: If columns are missing.
    """
    tables = {"after": conditions} if before is None else {"after": conditions, "before": before}
    for table in tables.values():
        require_columns(table, COLUMNS)
    found = {name: overall(table) for name, table in tables.items()}
    shown = [name for name in found["after"].index if name != CLEAN][::-1]
    letters = found["after"]["n"].max()
    corpora = [name for name in conditions["corpus"].unique() if name != ALL]
    subtitle = (
        f"Label accuracy on {letters:,} letters of "
        f"{', '.join(map(style.corpus_title, corpora))}; dashed: clean; *: unknown to training"
    )
    figure = style.new_figure(10, 1.6 + 0.3 * len(shown), "Letters on paper", subtitle)
    axes = figure.add_subplot()
    _draw_bars(axes, found, shown)
    axes.set_yticks(range(len(shown)), [TITLES.get(name, name) for name in shown])
    axes.set_xlim(0, 1)
    axes.set_ylim(-0.6, len(shown) - 0.4)
    style.style_axes(axes, grid="x")
    style.percent_axis(axes, which="x")
    if before is not None:
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.04), ncols=2, frameon=False)
    return figure


_COLOURS: Final = {"after": style.BLUE, "before": style.ORANGE}


def _draw_bars(axes: Axes, found: dict[str, pd.DataFrame], shown: list[str]) -> None:
    """Draw a bar a condition and table, and the clean share of each."""
    height = 0.8 / len(found)
    for place, (name, table) in enumerate(found.items()):
        offset = (len(found) - 1) / 2 - place
        axes.barh(
            [row + offset * height for row in range(len(shown))],
            table.loc[shown, "right"],
            height=height,
            color=_COLOURS[name],
            label=name,
        )
        clean = float(table["right"].to_dict()[CLEAN])
        axes.axvline(clean, color=_COLOURS[name], linestyle="--", linewidth=1)
