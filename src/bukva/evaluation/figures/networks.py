"""What accuracy costs: networks beside each other.

Shapes: M networks.
"""

from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from bukva.evaluation.figures import style
from bukva.evaluation.predictions import require_columns

COLUMNS: Final = (
    "name",
    "accuracy",
    "ci_low",
    "ci_high",
    "test_samples",
    "file_bytes",
    "latency_ms",
)


def plot_network_comparison(comparison: pd.DataFrame) -> Figure:
    """Draw the error of each network against its latency, and against the size of its file.

    Both axes are logarithmic; below and to the left is better. No error at all is drawn as half
    a sample.

    Args:
        comparison: One row a network, with `name`, `accuracy` and its interval `ci_low`, `ci_high`
            (0..1), `test_samples`, `file_bytes` and `latency_ms`.

    Raises:
        TableError: If columns are missing.
    """
    require_columns(comparison, COLUMNS)
    count = int(comparison["test_samples"].max())
    subtitle = f"Error on {count:,} digits with its 95 % interval. Below and to the left is better."
    figure = style.new_figure(11, 5.5, "Networks: what accuracy costs", subtitle)
    latency, size = figure.subplots(1, 2, sharey=True)
    _draw(latency, comparison, comparison["latency_ms"], "one image on one thread, ms")
    _draw(size, comparison, comparison["file_bytes"] / 1000, "file, kB")
    latency.set_ylabel("error")
    return figure


def _draw(axes: Axes, comparison: pd.DataFrame, cost_M: pd.Series, label: str) -> None:
    error_M, low_M, high_M = _errors(comparison)
    axes.vlines(cost_M, low_M, high_M, color=style.MUTED, linewidth=1.4)
    axes.scatter(cost_M, error_M, s=36, color=style.BLUE, zorder=3)
    for place, (name, cost, error) in enumerate(
        zip(comparison["name"], cost_M, error_M, strict=True)
    ):
        # Above and below in turn: variants of one network lie close together.
        offset_pt = (6, -11 if place % 2 else 4)
        axes.annotate(
            str(name), (cost, error), xytext=offset_pt, textcoords="offset points",
            size=9, color=style.TEXT,
        )  # fmt: skip
    axes.set(xscale="log", yscale="log", xlabel=label)
    axes.margins(x=0.25)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    style.percent_axis(axes)
    style.style_axes(axes, grid="both")


def _errors(comparison: pd.DataFrame) -> list[pd.Series]:
    """Return the errors and both ends of their intervals, as a logarithm can show them."""
    least = 0.5 / comparison["test_samples"]
    shares = (comparison[column] for column in ("accuracy", "ci_high", "ci_low"))
    return [(1 - share).clip(lower=least) for share in shares]
