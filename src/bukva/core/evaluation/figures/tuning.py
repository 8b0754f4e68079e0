"""How a search went, and what it found out.

Shapes: T trials, P parameters.
"""

from collections.abc import Collection, Sequence
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from bukva.core.evaluation.figures import style
from bukva.core.tables import require_columns

COLUMNS: Final = ("number", "state", "value")

_WORSE_TO_BETTER: Final = LinearSegmentedColormap.from_list(
    "worse to better", [style.LINE, style.SKY, style.BLUE]
)


def plot_trials(trials: pd.DataFrame, measure: str, *, is_maximised: bool) -> Figure:
    """Draw the value of each trial, complete and pruned, and the best so far.

    Args:
        trials: One row a trial, with `number`, `state` and `value`.
        measure: What the value is.
        is_maximised: Whether more of it is better.

    Raises:
        TableError: If columns are missing.
    """
    require_columns(trials, COLUMNS)
    figure = style.new_figure(10, 5.5, "Trials of the search", _count_states(trials))
    axes = figure.add_subplot()
    complete, pruned = (_in_state(trials, state) for state in ("complete", "pruned"))
    if complete.empty:
        style.write_empty(axes, "no trial has come to its end")
        return figure
    so_far = complete["value"].cummax() if is_maximised else complete["value"].cummin()
    axes.step(complete["number"], so_far, where="post", color=style.VERMILLION, label="best so far")
    axes.scatter(pruned["number"], pruned["value"], s=22, color=style.MUTED, marker="x",
                 linewidth=1, label="pruned, at its last epoch")  # fmt: skip
    axes.scatter(complete["number"], complete["value"], s=26, color=style.BLUE, label="complete",
                 zorder=3)  # fmt: skip
    axes.set(xlabel="trial", ylabel=measure)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    style.style_axes(axes, grid="y")
    axes.legend(frameon=False, ncols=3, loc="lower right", bbox_to_anchor=(1, 1))
    return figure


def plot_importances(shares: pd.Series, measure: str) -> Figure:
    """Draw how much of the measure's variance each parameter explains.

    Args:
        shares: 0..1 by dotted name, the largest first; empty where there is nothing to say.
        measure: What is explained.
    """
    subtitle = f"Share of the variance of {measure} among complete trials (fANOVA)"
    height_in = 2.0 + 0.34 * max(4, len(shares))
    figure = style.new_figure(9, height_in, "What matters", subtitle)
    axes = figure.add_subplot()
    if shares.empty:
        style.write_empty(axes, "too few complete trials, or all came out alike")
        return figure
    bars = axes.barh(shares.index, shares, color=style.BLUE, height=0.7)
    axes.bar_label(
        bars, [style.percent(share, 0) for share in shares], padding=4, size=9, color=style.TEXT
    )
    axes.invert_yaxis()
    axes.set_xlim(0, 1.08 * shares.max())
    style.style_axes(axes)
    style.percent_axis(axes, which="x")
    return figure


def plot_parallel(
    trials: pd.DataFrame,
    parameters: Sequence[str],
    measure: str,
    *,
    logarithmic: Collection[str] = (),
    is_maximised: bool = False,
) -> Figure:
    """Draw each complete trial as a line through one axis a parameter and one of the measure.

    The form is parallel coordinates (Inselberg 1985); the better a trial, the darker its line.

    Args:
        trials: One row a trial, with `state`, `value` and the parameters.
        parameters: Columns that become axes, in this order.
        measure: What the value is.
        logarithmic: Parameters whose axis is logarithmic.
        is_maximised: Whether more of the measure is better.

    Raises:
        TableError: If columns are missing.
    """
    require_columns(trials, (*COLUMNS, *parameters))
    complete = _in_state(trials, "complete").sort_values("value", ascending=is_maximised)
    subtitle = f"{len(complete)} complete trials; the better, the darker"
    width_in = max(9.0, 1.45 * (len(parameters) + 1))
    figure = style.new_figure(width_in, 5.5, "Parallel coordinates", subtitle)
    axes = figure.add_subplot()
    if complete.empty:
        style.write_empty(axes, "no trial has come to its end")
        return figure
    columns = {name: complete[name] for name in parameters} | {measure: complete["value"]}
    places = [
        _place_on_axis(axes, at, values, logarithmic=name in logarithmic)
        for at, (name, values) in enumerate(columns.items())
    ]
    # The order is from worst to best: what is better lies on top.
    for trial, line_P in enumerate(np.stack(places, axis=1)):
        better = (trial + 1) / len(complete)
        axes.plot(line_P, color=_WORSE_TO_BETTER(better), linewidth=0.8 + 1.4 * better**4)
    axes.set_xticks(range(len(columns)), [name.replace(".", "\n") for name in columns])
    axes.set_yticks([])
    axes.set(xlim=(-0.3, len(columns) - 0.4), ylim=(-0.04, 1.04))
    style.hide_frame(axes)
    figure.colorbar(
        ScalarMappable(Normalize(), _WORSE_TO_BETTER), ax=axes, ticks=[], label="better →", pad=0.01
    )
    return figure


def _place_on_axis(
    axes: Axes, at: int, values: pd.Series, *, logarithmic: bool
) -> NDArray[np.float64]:
    """Draw one axis with its ends and middle, and return where values lie on it, `(T,)` in 0..1."""
    axes.axvline(at, color=style.LINE, linewidth=1, zorder=0)
    if not pd.api.types.is_numeric_dtype(values) or values.dtype == bool:
        names = sorted(values.astype(str).unique())
        heights = np.linspace(0, 1, len(names)) if len(names) > 1 else np.array([0.5])
        _label(axes, at, dict(zip(names, heights, strict=True)))
        return values.astype(str).map(dict(zip(names, heights, strict=True))).to_numpy(dtype=float)
    scaled_T = values.to_numpy(dtype=float)
    scaled_T = np.log(scaled_T) if logarithmic else scaled_T
    low, high = scaled_T.min(), scaled_T.max()
    ticks = np.linspace(low, high, 3) if high > low else np.array([low])
    heights = np.linspace(0, 1, 3) if high > low else np.array([0.5])
    shown = np.exp(ticks) if logarithmic else ticks
    _label(axes, at, {f"{x:.3g}": height for x, height in zip(shown, heights, strict=True)})
    if high == low:
        return np.full(len(scaled_T), 0.5)
    result_T: NDArray[np.float64] = (scaled_T - low) / (high - low)
    return result_T


def _label(axes: Axes, at: int, heights: dict[str, float]) -> None:
    ground = {"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.8}
    for text, height in heights.items():
        axes.text(at + 0.04, height, text, size=8, color=style.TEXT, va="center", bbox=ground,
                  zorder=4)  # fmt: skip


def _in_state(trials: pd.DataFrame, state: str) -> pd.DataFrame:
    return trials[trials["state"].eq(state) & trials["value"].notna()]


def _count_states(trials: pd.DataFrame) -> str:
    counts = trials["state"].value_counts()
    return ", ".join(f"{count} {state}" for state, count in counts.items()) or "no trials"
